"""Which network addresses may be fetched from, however they are written."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

# Answers secrets or configuration to whoever asks, and is not always link-local: AWS, Oracle, Alibaba, Azure.
_METADATA: frozenset[Address] = frozenset(
    ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "192.0.0.192", "100.100.100.200", "168.63.129.16")
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_COMPATIBLE = IPv6Network("::/96")  # deprecated by RFC 4291, still spelled by attackers
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215
_SIX_TO_FOUR = IPv6Network("2002::/16")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),
    _SIX_TO_FOUR,
)
# Older Pythons call these global.
_NOT_PUBLIC_V4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("100.64.0.0/10"))
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_LOOPBACK_V6 = IPv6Address("::1")


def may_fetch(address: Address, *, allow_private: bool) -> bool:
    """Whether media may be fetched from here; metadata services, link-local, multicast and 0.0.0.0 never.

    ``allow_private`` admits loopback and private addresses (the demo and tests).
    """
    inner = _inside(address)
    for each in {address, inner}:
        if each in _METADATA or each.is_link_local or each.is_multicast or each.is_unspecified:
            return False
    if isinstance(inner, IPv4Address) and inner in _THIS_NETWORK:
        return False
    return allow_private or (_is_public(address) and _is_public(inner))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)
    if address in _MAPPED or address in _NAT64[0]:
        return True  # the inner address decides
    return address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_PUBLIC_V6)


def _inside(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries, else the address itself."""
    if isinstance(address, IPv4Address) or address == _LOOPBACK_V6:
        return address
    if address in _SIX_TO_FOUR:
        return IPv4Address(address.packed[2:6])
    if address in _MAPPED or address in _COMPATIBLE or any(address in network for network in _NAT64):
        return IPv4Address(address.packed[-4:])
    return address
