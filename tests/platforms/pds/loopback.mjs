// Makes every server of this process listen on 127.0.0.1, whatever address it asks for: the PDS asks for all of them.
import net from 'node:net'

const listen = net.Server.prototype.listen

net.Server.prototype.listen = function (...given) {
  const [first, ...rest] = given
  if (first !== null && typeof first === 'object') {
    const { path: _path, exclusive: _exclusive, ...place } = first
    return listen.call(this, { ...place, host: '127.0.0.1' }, ...rest)
  }
  const whenReady = given.findLast((each) => typeof each === 'function')
  const port = Number(first ?? 0)
  return listen.call(this, { port, host: '127.0.0.1' }, ...(whenReady ? [whenReady] : []))
}
