"""Rules on the addresses that may be reached."""

from ipaddress import ip_address, ip_network

import pytest

from shared.errors import ForbiddenAddress
from shared.net.addresses import check_address, rule_against


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.255.255.255", "private"),
        ("100.64.0.1", "shared"),
        ("100.100.100.200", "shared"),
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "link-local"),
        ("168.63.129.16", "metadata"),
        ("172.31.0.1", "private"),
        ("192.0.0.192", "reserved"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmarks"),
        ("224.0.0.251", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::127.0.0.1", "IPv4-compatible"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b:1::a00:1", "NAT64"),
        ("2001:0:1::1", "Teredo"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("fd00:ec2::254", "metadata"),
        ("fc00::1", "private"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("100::1", "not public"),
        ("5f00::1", "not public"),
    ],
)
def test_addresses_that_are_not_public_are_refused_naming_the_rule(address: str, rule: str) -> None:
    assert rule in (rule_against(ip_address(address)) or "")
    with pytest.raises(ForbiddenAddress, match=r"files\.test has an address that is not public.*URL_ALLOW_NETWORKS") as refused:
        check_address(address, host="files.test")
    assert address not in refused.value.detail.removeprefix("files.test")
    with pytest.raises(ForbiddenAddress, match=rule):
        check_address(address, host=address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450:4001::5"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert rule_against(ip_address(address)) is None


def test_the_operators_networks_are_allowed_and_no_others() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd12::/16"))
    assert rule_against(ip_address("10.1.2.3"), allowed=allowed) is None
    assert rule_against(ip_address("fd12::1"), allowed=allowed) is None
    assert rule_against(ip_address("10.2.0.1"), allowed=allowed) == "private"
    assert rule_against(ip_address("::ffff:10.1.2.3"), allowed=allowed) == "IPv4-mapped"
