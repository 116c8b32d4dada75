"""Which addresses may be fetched from."""

from ipaddress import ip_address

import pytest

from tools.media.addresses import may_fetch

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1",
    "192.0.2.1", "192.88.99.1", "240.0.0.1", "::1", "fc00::1", "fec0::1", "::7f00:1", "::a00:1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::808:808", "2002:7f00:1::",
    "2002:808:808::", "2001::1", "2001:db8::1", "100::1", "5f00::1", "3fff::1", "4000::1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "0.0.0.0",
    "0.1.2.3", "224.0.0.1", "239.255.255.250", "fe80::1", "fe80::1%eth0", "ff02::1", "ff0e::1", "::",
    "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe",
    "::ffff:224.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_always_be_fetched_from(text: str) -> None:
    assert may_fetch(ip_address(text), allow_private=False)
    assert may_fetch(ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_only_where_they_are_allowed(text: str) -> None:
    assert not may_fetch(ip_address(text), allow_private=False)
    assert may_fetch(ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", NEVER)
def test_metadata_link_local_multicast_and_unspecified_never(text: str) -> None:
    assert not may_fetch(ip_address(text), allow_private=False)
    assert not may_fetch(ip_address(text), allow_private=True)
