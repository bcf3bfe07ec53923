"""Which addresses a webhook may be sent to: those of the public internet and no other (SSRF).

Pure: names are resolved by the sender, which then connects to exactly the addresses that were judged here, so that a
name cannot mean another machine a moment later (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

#: All of the public IPv6 internet; IPv4 in IPv6's dress (mapped, NAT64), link-local and multicast are outside of it.
_UNICAST = ipaddress.ip_network("2000::/3")
#: What is refused whatever a Python version's ``is_global`` says of it (IANA's special-purpose registries).
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's platform address, public by number
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)


def refusal(address: str) -> str | None:
    """Why an address cannot be a receiver's; None when it can."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "is not an address"
    refused = any(found in network for network in _REFUSED if network.version == found.version)
    if refused or not found.is_global or (found.version == 6 and found not in _UNICAST):
        return "is not a public address"
    return None


def allowed(addresses: Sequence[str], *, private: bool) -> list[str]:
    """The addresses of a name, IPv4 first (functions have no way out over IPv6 by default); empty when any is refused.

    A name that has one public and one private address is no receiver that anybody set up in good faith.
    """
    unique = list(dict.fromkeys(addresses))
    if not private and any(refusal(address) is not None for address in unique):
        return []
    return sorted(unique, key=lambda address: ":" in address)
