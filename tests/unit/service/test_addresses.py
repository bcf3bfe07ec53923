"""No address of a private network, of the machine itself or of a cloud's inside is a receiver's."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.service.addresses import allowed, refusal
from sheetrun.service.requests import webhook_problem

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.8",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_refused(address: str) -> None:
    assert refusal(address) is not None
    assert allowed([address], private=False) == []
    assert allowed(["8.8.8.8", address], private=False) == [], "one of its addresses is enough"


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "52.94.76.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_let_through(address: str) -> None:
    assert refusal(address) is None


def test_order() -> None:
    assert allowed(["2606:4700::1", "8.8.8.8", "8.8.8.8"], private=False) == ["8.8.8.8", "2606:4700::1"]
    assert allowed(["::1", "127.0.0.1"], private=True) == ["127.0.0.1", "::1"]


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_let_through(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    inside = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    if inside or address.is_reserved or address.is_unspecified:
        assert refusal(str(address)) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_any_ipv6_dress_is_refused(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for dressed in (
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address(0x64FF9B << 96 | number),
        ipaddress.IPv6Address(0x2002 << 112 | number << 80),
    ):
        assert refusal(str(dressed)) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://localhost/",
        "https://localhost./",
        "https://a.localhost/",
        "https://db.internal/",
        "https://metadata.google.internal./",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://user:secret@example.com/",
        "https://example.com/#here",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://exämple.com/",
        "https://",
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_urls_that_are_no_receivers(url: str) -> None:
    assert webhook_problem(url) is not None


def test_urls_that_may_be() -> None:
    assert webhook_problem("https://example.com:8443/hook?a=b%20c") is None
    assert webhook_problem("http://127.0.0.1:9000/") is not None
    assert webhook_problem("http://127.0.0.1:9000/", private=True) is None
    assert webhook_problem("ftp://127.0.0.1/", private=True) is not None


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    for private in (False, True):
        problem = webhook_problem(f"https://{text}", private=private)
        assert problem is None or problem.strip()
