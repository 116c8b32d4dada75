// Starts a PLC directory and a PDS on free ports, prints their addresses as one line of JSON, and ends with its stdin.
import './loopback.mjs'

const { TestNetworkNoAppView } = await import('@atproto/dev-env')

const network = await TestNetworkNoAppView.create({ pds: { hostname: 'localhost' } })

let ending = false
const end = async () => {
  if (ending) return
  ending = true
  setTimeout(() => process.exit(1), 5000).unref()
  await network.close()
  process.exit(0)
}
process.stdin.on('end', end).on('close', end).resume()

const local = (port) => `http://127.0.0.1:${port}`
console.log(JSON.stringify({ pds: local(network.pds.port), plc: local(network.plc.port) }))
