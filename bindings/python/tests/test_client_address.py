"""Who a request is from: what a header may say, and who may say it."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

import donjon
from donjon import Client, Proxies

PROXY = "10.0.0.1"
TRUSTED = ["10.0.0.0/8", "2001:db8:ffff::/48"]


def forwarded_for(*lines: str | bytes, peer: str = PROXY, **options: Any) -> Client:
    return Proxies("x-forwarded-for", trusted=TRUSTED, **options).client(peer, lines)


# ---- without a header ----


@pytest.mark.parametrize(
    ("peer", "ip", "bucket"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:1:0:0:0:2", "2001:db8:0:1::2", "2001:db8:0:1::/64"),
        ("[2001:db8::1]:443", "2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
    ],
)
def test_by_default_the_peer_is_the_client(peer: str, ip: str, bucket: str) -> None:
    client = Proxies().client(peer, ["192.0.2.1"])
    assert (client.ip, client.bucket, client.from_header) == (ip, bucket, False)


@pytest.mark.parametrize("peer", [None, "", "testclient", "/run/app.sock", "1.2.3", "010.0.0.1"])
def test_a_peer_that_is_no_address_is_an_error_of_its_own(peer: str | None) -> None:
    for proxies in (Proxies(), Proxies("x-forwarded-for", trusted=TRUSTED)):
        with pytest.raises(donjon.MalformedAddress) as caught:
            proxies.client(peer)
        assert (caught.value.http_status, caught.value.reason) == (500, "malformed")
    # Where every request comes through so many proxies, the header names the client all the same.
    by_hops = Proxies("x-forwarded-for", hops=1)
    assert by_hops.client(peer, ["203.0.113.7"]).ip == "203.0.113.7"


# Attack 48.
def test_all_addresses_of_a_64_are_one_bucket() -> None:
    proxies, draw = Proxies(), random.Random(5)
    buckets = {
        proxies.client(f"2001:db8:1:2:{draw.randrange(2**16):x}::{draw.randrange(2**16):x}").bucket
        for _ in range(500)
    }
    assert buckets == {"2001:db8:1:2::/64"}
    assert Proxies(ipv6_prefix=128).client("2001:db8::1").bucket == "2001:db8::1/128"
    assert Proxies(ipv6_prefix=48).client("2001:db8:1:2::1").bucket == "2001:db8:1::/48"
    assert Proxies(ipv6_prefix=48).client("192.0.2.1").bucket == "192.0.2.1"


# ---- X-Forwarded-For (attack 47) ----


def test_an_untrusted_peer_may_say_what_it_likes() -> None:
    client = forwarded_for("192.0.2.1", peer="203.0.113.9")
    assert client == forwarded_for(peer="203.0.113.9")
    assert (client.ip, client.from_header) == ("203.0.113.9", False)


@pytest.mark.parametrize(
    ("lines", "ip"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["8.8.8.8, 192.0.2.1"], "192.0.2.1"),
        (["8.8.8.8, 192.0.2.1, 10.9.9.9"], "192.0.2.1"),
        (["8.8.8.8", "192.0.2.1", "10.9.9.9,10.1.1.1"], "192.0.2.1"),
        (["10.5.5.5, 10.6.6.6"], "10.5.5.5"),
        ([" 192.0.2.1:4711\t"], "192.0.2.1"),
        (["[2001:db8::7]:80"], "2001:db8::7"),
        (["2001:db8::7%eth0"], "2001:db8::7"),
        (["junk, 192.0.2.1"], "192.0.2.1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["::ffff:10.1.2.3, 192.0.2.1, ::ffff:10.1.2.3"], "192.0.2.1"),
        ([b"192.0.2.1"], "192.0.2.1"),
    ],
)
def test_behind_a_trusted_proxy_the_rightmost_untrusted_hop_is_the_client(
    lines: list[str | bytes], ip: str
) -> None:
    client = forwarded_for(*lines)
    assert (client.ip, client.from_header) == (ip, True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        ",",
        "192.0.2.1,",
        "192.0.2.1, unknown",
        "192.0.2.1, _hidden",
        "192.0.2.1, 999.1.1.1",
        "192.0.2.1, 0x7f.1",
        "192.0.2.1, 1.2.3",
        "192.0.2.1, 010.1.1.1",
        "192.0.2.1, 192.0.2.1:99999",
        "192.0.2.1 192.0.2.2",
        "192.0.2.1, 10.0.0.1\x00",
        "192.0.2.1, \ud800",
        "192.0.2.1, \uff11.2.3.4",
        b"192.0.2.1, \xff",
        "192.0.2.1, " + "1" * 20_000,
    ],
)
def test_junk_where_the_client_should_be_leaves_it_at_the_peer(line: str | bytes) -> None:
    client = forwarded_for(line)
    assert (client.ip, client.from_header) == (PROXY, False)


def test_what_a_client_writes_before_the_proxies_part_changes_nothing() -> None:
    draw = random.Random(3)
    for _ in range(500):
        junk = bytes(draw.randrange(256) for _ in range(draw.randrange(60)))
        client = forwarded_for(junk, b"203.0.113.9, 10.1.1.1")
        assert (client.ip, client.from_header) == ("203.0.113.9", True)
    flood = forwarded_for("8.8.8.8, " * 100_000 + "203.0.113.9")
    assert flood.ip == "203.0.113.9"


def test_hops_count_from_the_right() -> None:
    lines = ["8.8.8.8, 192.0.2.1, 192.0.2.2"]
    for hops, ip in ((1, "192.0.2.2"), (2, "192.0.2.1"), (3, "8.8.8.8"), (4, PROXY)):
        assert Proxies("x-forwarded-for", hops=hops).client(PROXY, lines).ip == ip


# ---- the other headers (attacks 47, 47a) ----


@pytest.mark.parametrize(
    ("line", "ip"),
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ('for="[2001:db8:cafe::17]:4711";proto=https', "2001:db8:cafe::17"),
        ("for=8.8.8.8, For=192.0.2.1;by=10.0.0.1, for=10.3.3.3", "192.0.2.1"),
        ('for="open, for=192.0.2.1', "192.0.2.1"),
        ("for=unknown", PROXY),
        ("for=_hidden", PROXY),
        ("192.0.2.1", PROXY),
        ("for=2001:db8::1", PROXY),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(line: str, ip: str) -> None:
    assert Proxies("forwarded", trusted=TRUSTED).client(PROXY, [line]).ip == ip


@pytest.mark.parametrize(
    ("lines", "ip"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        ([], PROXY),
        (["192.0.2.1", "192.0.2.2"], PROXY),
        (["192.0.2.1, 192.0.2.2"], PROXY),
        (["", "192.0.2.1"], PROXY),
        (["192.0.2.1", ""], PROXY),
        (["unknown"], PROXY),
    ],
)
def test_x_real_ip_is_one_address_or_none(lines: list[str], ip: str) -> None:
    assert Proxies("x-real-ip", trusted=TRUSTED).client(PROXY, lines).ip == ip


def test_proxies_say_which_header_they_want() -> None:
    assert Proxies().header is None
    assert Proxies("forwarded", trusted=TRUSTED).header == "forwarded"
    assert Proxies.from_config("").header is None
    assert Proxies.from_config('{"header":null}').header is None
    assert Proxies.from_config('{"header":"X-Real-IP","hops":1}').header == "x-real-ip"


# ---- what is refused when it is loaded ----


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"trusted": ["10.0.0.1/8"]}, "trusted[0]"),
        ({"trusted": ["10.0.0.0/8", "10.0.0.0/33"]}, "trusted[1]"),
        ({"trusted": ["010.0.0.0/8"]}, "trusted[0]"),
        ({"trusted": ["10.0/8"]}, "trusted[0]"),
        ({"trusted": ["fe80::%eth0/64"]}, "trusted[0]"),
        ({"trusted": ["::ffff:10.0.0.0/104"]}, "trusted[0]"),
        ({"trusted": ["proxy.example"]}, "trusted[0]"),
        ({"trusted": [""]}, "trusted[0]"),
        ({"trusted": ["10.0.0.0/8"], "hops": 1}, ""),
        ({"trusted": ["10.0.0.0/8"] * 4_097}, "trusted"),
        ({"hops": 256}, "hops"),
        ({"ipv6_prefix": 31}, "ipv6_prefix"),
        ({"ipv6_prefix": 129}, "ipv6_prefix"),
        ({"header": "x-client-ip"}, "header"),
        ({"header": ""}, "header"),
    ],
)
def test_proxies_that_make_no_sense_are_refused_with_the_place(
    options: dict[str, Any], path: str
) -> None:
    with pytest.raises(donjon.ConfigError) as caught:
        Proxies(**{"header": "x-forwarded-for", **options})
    assert caught.value.path.startswith(path)
    assert caught.value.diagnosis is not None
    assert caught.value.diagnosis["message"]


@pytest.mark.parametrize("trusted", [["10.0.0.0/8"] * 10**6, ["\ud800"]])
def test_networks_that_cannot_even_be_said_are_a_configuration_that_is_wrong(trusted: Any) -> None:
    with pytest.raises(donjon.ConfigError):
        Proxies("x-forwarded-for", trusted=trusted)


@pytest.mark.parametrize(
    "options",
    [
        {"trusted": "10.0.0.0/8"},
        {"trusted": [b"10.0.0.0/8"]},
        {"trusted": 8},
        {"hops": True},
        {"hops": "1"},
        {"ipv6_prefix": 64.0},
        {"header": b"forwarded"},
        {"header": True},
    ],
)
def test_a_list_is_a_list_and_a_number_a_number(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Proxies(**options)


# ---- careless callers ----


@pytest.mark.parametrize("lines", ["192.0.2.1", b"192.0.2.1", {"192.0.2.1"}, 1, [1], [None]])
def test_lines_are_a_list(lines: Any) -> None:
    with pytest.raises(TypeError):
        Proxies("x-forwarded-for", trusted=TRUSTED).client(PROXY, lines)


@pytest.mark.parametrize("peer", [b"192.0.2.1", 1, ("192.0.2.1", 80)])
def test_a_peer_is_a_text(peer: Any) -> None:
    with pytest.raises(TypeError):
        Proxies().client(peer)


def test_a_client_is_a_value() -> None:
    one, other = Proxies().client("192.0.2.1"), Proxies().client("192.0.2.1")
    assert one == other
    assert hash(one) == hash(other)
    assert one != Proxies().client("192.0.2.2")
    assert repr(one) == "Client(ip='192.0.2.1', bucket='192.0.2.1', from_header=False)"
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(AttributeError):
        one.ip = "10.0.0.1"  # type: ignore[misc]
