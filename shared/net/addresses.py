"""Rules on the IP addresses that the server may contact for users.

These are public unicast addresses, and networks that the operator allows. The table follows IANA's special-purpose address registries (RFC
6890) and adds the metadata services of clouds that lie outside them. IPv6 is allowed by exception: outside 2000::/3 nothing is assigned for
the public internet.
"""

import logging
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from shared.errors import ForbiddenAddress

log = logging.getLogger(__name__)
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Rule and network of each range of forbidden addresses. Errors name the rule of the first range that contains the address.
FORBIDDEN: tuple[tuple[str, Network], ...] = tuple(
    (rule, ip_network(network))
    for network, rule in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared (carrier NAT)"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's metadata service"),
        ("169.254.169.254/32", "a cloud's metadata service"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64 (local)"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "reserved for documentation"),
        ("fd00:ec2::254/128", "a cloud's metadata service"),
        ("fd20:ce::254/128", "a cloud's metadata service"),
        ("fc00::/7", "private (unique local)"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
PUBLIC_V6 = IPv6Network("2000::/3")


def rule_against(address: Address, *, allowed: Iterable[Network] = ()) -> str | None:
    """Return the rule that forbids an address, or None.

    Rules are "loopback", "private", ... An address in `allowed` is never forbidden.
    """
    plain = IPv6Address(int(address)) if isinstance(address, IPv6Address) else address  # without a scope such as %eth0
    if any(plain in network for network in allowed):
        return None
    for rule, network in FORBIDDEN:
        if plain in network:
            return rule
    return "not public" if isinstance(plain, IPv6Address) and plain not in PUBLIC_V6 else None


def check_address(text: str, *, host: str, allowed: Iterable[Network] = ()) -> None:
    """Raise ForbiddenAddress if the address `text` is forbidden.

    `text`: the address that `host` resolved to.
    """
    rule = rule_against(ip_address(text), allowed=allowed)
    if rule is None:
        return
    remedy = "Addresses in the server's own network are closed. The operator can open a network with REELWRIGHT_URL_ALLOW_NETWORKS."
    if host in (text, f"[{text}]"):
        raise ForbiddenAddress(f"{text} is {rule}: only public addresses may be reached. {remedy}")
    log.info("%s resolves to %s, which is %s: refused", host, text, rule)  # not in the answer: it would describe the internal network
    raise ForbiddenAddress(f"{host} has an address that is not public: only public addresses may be reached. {remedy}")
