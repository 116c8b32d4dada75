"""The address under which the world reaches this installation: whether its very name is a private one."""

import ipaddress
from urllib.parse import urlsplit

_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def host_of(url: str) -> str:
    """The host name in an address, "" when there is none."""
    return urlsplit(url).hostname or ""


def is_private_name(host: str) -> bool:
    """Whether a host's name alone says that the world cannot reach it; no name server is asked."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_ENDINGS)
