"""Who sent a request that came through proxies (FORMATS.md, Client address; RFC 7239; ATTACKS.md 47, 48, 55)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from .addresses import Proxies, Refused
from .suite import Case, Suite, refusal

PEER = "10.0.0.1"
TRUSTED = ["10.0.0.0/8", "2001:db8::/32"]
NETWORKS = [*TRUSTED, "192.0.2.8/29", "::1"]

JUNK = {
    "empty": "", "a blank": " ", "unknown": "unknown", "hidden": "_hidden", "a name": "localhost", "three numbers": "1.2.3", "five numbers": "1.2.3.4.5", "a number too large": "1.2.3.256", "a leading zero": "01.2.3.4", "a leading zero at the end": "1.2.3.04", "hexadecimal": "0x7f.0.0.1", "one number": "2130706433", "two numbers": "127.1",
    "a port that is missing": "1.2.3.4:", "a port too large": "1.2.3.4:65536", "a port too long": "1.2.3.4:000080", "a port with a sign": "1.2.3.4:+80", "a port that is a name": "1.2.3.4:http", "a port that is hidden": "1.2.3.4:_p", "two ports": "1.2.3.4:80:80", "a network": "1.2.3.4/32", "quoted": '"1.2.3.4"', "two with a blank": "1.2.3.4 5.6.7.8", "a zone of IPv4": "1.2.3.4%eth0",
    "IPv4 in brackets": "[1.2.3.4]", "an open bracket": "[2a00::1", "a closed bracket": "2a00::1]", "more behind the bracket": "[2a00::1]80", "a colon behind the bracket": "[2a00::1]:", "a zone that is empty": "2a00::1%", "a zone with a blank": "2a00::1%e 0", "a zone behind the bracket": "[2a00::1]%eth0", "three colons": "2a00:::1", "two gaps": "2a00::1::2", "five digits": "2a00::12345", "nine groups": "1:2:3:4:5:6:7:8:9", "seven groups": "1:2:3:4:5:6:7", "a mapped address with a leading zero": "::ffff:1.2.3.04",
    "a NUL behind": "1.2.3.4\0", "a NUL before": "\x001.2.3.4", "a carriage return": "1.2.3.4\r", "a no-break space": "\u00a01.2.3.4", "an Arabic digit": "1.2.3.\u0664", "fullwidth digits": "\uff11.2.3.4", "percent-encoded": "%31.2.3.4", "an element of Forwarded": "for=1.2.3.4", "a long zone": "fe80::1%" + "z" * 121,
}  # fmt: skip
ADDRESSES = {
    "1.2.3.4": "1.2.3.4", "1.2.3.4:80": "1.2.3.4", "1.2.3.4:0": "1.2.3.4", "1.2.3.4:65535": "1.2.3.4", "255.255.255.255": "255.255.255.255", "2a00::1": "2a00::1", "[2a00::1]": "2a00::1", "[2a00::1]:443": "2a00::1", "2A00:0:0:0:0:0:0:1": "2a00::1", "2a00:0:0:1::": "2a00:0:0:1::", "2a00::1%eth0": "2a00::1", "[fe80::1%25en0]:80": "fe80::1", "fe80::1%7": "fe80::1", "::": "::",
    "::ffff:1.2.3.4": "1.2.3.4", "[::ffff:1.2.3.4]:80": "1.2.3.4", "::FFFF:102:304": "1.2.3.4", "0:0:0:0:0:ffff:1.2.3.4": "1.2.3.4", "::1.2.3.4": "::102:304", "64:ff9b::1.2.3.4": "64:ff9b::102:304", "2002:102:304::": "2002:102:304::", "fe80::1%" + "z" * 120: "fe80::1",
}  # fmt: skip
ELEMENTS = {
    "a token": "for=1.2.3.4", "another case": "FOR=1.2.3.4", "quoted": 'for="1.2.3.4"', "with a port": 'for="1.2.3.4:80"', "with a hidden port": 'for="1.2.3.4:_p.-_9"', "among others": "by=_b;for=1.2.3.4;proto=https", "blanks around semicolons": "by=_b ;\tfor=1.2.3.4 ; proto=https", "empty parameters": ";;for=1.2.3.4;",
    "a comma in quotes": 'for=1.2.3.4;host="a, for=6.6.6.6"', "an escaped quote": 'for=1.2.3.4;host="a\\", for=6.6.6.6"', "an escaped backslash": 'for=1.2.3.4;host="\\\\"', "letters beyond ASCII in quotes": 'for=1.2.3.4;host="z\u00f6"', "every letter of a token": "for=1.2.3.4;!#$%&'*+-.^_`|~9=~",
}  # fmt: skip
NO_ELEMENTS = {
    "empty": "", "a semicolon": ";", "no for": "proto=https;by=10.0.0.1", "unknown": "for=unknown", "hidden": "for=_hidden", "hidden and quoted": 'for="_hidden"', "a port of the unknown": 'for="unknown:80"', "no value": "for=", "no equals sign": "for", "an empty text": 'for=""', "a blank before the equals sign": "for =1.2.3.4", "a blank behind the equals sign": "for= 1.2.3.4", "a port unquoted": "for=1.2.3.4:80", "brackets unquoted": "for=[2a00::1]", "IPv6 unquoted": "for=2a00::1",
    "a quote that stays open": 'for="1.2.3.4', "a quote that only closes": 'for=1.2.3.4"', "more behind the quote": 'for="1.2.3.4"x', "two texts": 'for="1.2.3.4""5.6.7.8"', "an escape in the address": 'for="1.2.3.\\4"', "a blank in the quotes": 'for=" 1.2.3.4"', "single quotes": "for='1.2.3.4'", "a blank between parameters": "for=1.2.3.4 by=_b", "two of them": "for=1.2.3.4;for=1.2.3.4", "two in other cases": "for=1.2.3.4;For=unknown", "a parameter without a value": "for=1.2.3.4;by", "a parameter without a name": "for=1.2.3.4;=_b",
    "a NUL": "for=1.2.3.4\0", "a NUL in quotes": 'for=1.2.3.4;host="\0"', "an escaped NUL": 'for=1.2.3.4;host="\\\0"', "letters beyond ASCII in a token": "for=1.2.3.4;host=z\u00f6", "a quote in a token": 'for=1.2.3.4;host=a"b"', "an escape that stays open": 'for=1.2.3.4;host="\\"', "an address alone": "1.2.3.4", "a quoted name": '"for"=1.2.3.4', "the element in quotes": 'x="for=1.2.3.4"', "a hidden port of nothing": 'for="1.2.3.4:_"', "a hidden port of IPv6 without brackets": 'for="2a00::1:_p"',
}  # fmt: skip


def suites() -> Iterator[Suite]:
    suite = Suite("client_ip", "Who sent a request that came through proxies.", "FORMATS.md, Client address; RFC 7239; RFC 4291, 2.5.5.2; RFC 5952; ATTACKS.md 47, 48 and 55")

    def ask(name: str, *lines: str, ip: str | None = None, header: Any = "x-forwarded-for", peer: str = PEER, attack: int | None = 47, **config: Any) -> None:
        """`ip` is said by hand, and the reference agrees."""
        config = {"header": header} | (config or {"trusted": TRUSTED})
        request = {"op": "client_ip", "peer": peer, "lines": list(lines)} | config
        try:
            answer: Case = {"ok": True} | Proxies(config).client(peer, list(lines))
        except Refused as error:
            answer = refusal(str(error))
        assert ip is None or ip == answer.get("ip", answer.get("error")), (name, ip, answer)
        suite.add(name, request, answer, attack)

    trust(ask)
    forms(ask)
    counted(ask)
    forwarded(ask)
    lengths(ask)
    buckets(ask)
    configurations(ask)
    at_random(ask)
    yield suite


def trust(ask: Any) -> None:
    for header, line in (("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=1.2.3.4"), ("x-real-ip", "1.2.3.4")):
        ask(f"{header} of a trusted proxy", line, header=header, ip="1.2.3.4")
        ask(f"{header} of a trusted proxy that has a mapped address", line, header=header, peer="[::ffff:10.9.9.9]:4711", ip="1.2.3.4")
        for peer in ("203.0.113.9", "9.255.255.255", "11.0.0.0", "2001:db7:ffff::1", "::10.0.0.1", "64:ff9b::10.0.0.1"):
            ask(f"{header} of an untrusted peer, {peer}", line, header=header, peer=peer)
        ask(f"{header} where nobody is trusted", line, header=header, trusted=[], ip=PEER)
        ask(f"{header} where nobody was named", line, header=header, hops=0, ip=PEER)
        ask(f"{header} where none is named", line, header=None, ip=PEER)
        ask(f"{header} where none is named and hops are", line, header=None, hops=1, ip=PEER)
        ask(f"{header} without lines", header=header, ip=PEER)
        ask(f"{header} of an empty line", "", header=header, ip=PEER)
    # The line of another header than the host reads, were it handed over.
    ask("the other header's line as X-Forwarded-For", "for=1.2.3.4", ip=PEER)
    ask("the other header's line as Forwarded", "1.2.3.4", header="forwarded", ip=PEER)
    for name, lines, ip in (
        ("what the client wrote is to the left", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("trusted hops are passed over", ["6.6.6.6, 1.2.3.4, 10.1.1.1, 2001:db8::7"], "1.2.3.4"),
        ("without blanks", ["6.6.6.6,1.2.3.4,10.1.1.1"], "1.2.3.4"),
        ("with blanks and tabs", [" 6.6.6.6 ,\t1.2.3.4\t, 10.1.1.1\t"], "1.2.3.4"),
        ("lines make one list", ["6.6.6.6", "1.2.3.4", "10.1.1.1"], "1.2.3.4"),
        ("lists in lines make one list", ["6.6.6.6, 10.1.1.1", "1.2.3.4, 10.1.1.2", "10.1.1.3"], "1.2.3.4"),
        ("the same address twice", ["1.2.3.4, 1.2.3.4"], "1.2.3.4"),
        ("the peer's own address", ["6.6.6.6, 10.0.0.1"], "6.6.6.6"),
        ("all are trusted", ["10.3.3.3, 10.2.2.2", "10.1.1.1"], "10.3.3.3"),
        ("an address of the loopback", ["127.0.0.1"], "127.0.0.1"),
        ("trusted networks of either family", ["1.2.3.4, 2001:db8:ffff::1, ::ffff:10.1.1.1"], "1.2.3.4"),
        ("just outside of the networks", ["1.2.3.4, 2001:db9::1, 10.1.1.1"], "2001:db9::1"),
        ("a compatible address is no mapped one", ["1.2.3.4, ::10.1.1.1, 10.1.1.1"], "::a01:101"),
        ("junk that nobody reaches", ["junk, , unknown, 1.2.3.4"], "1.2.3.4"),
        ("nothing behind the comma", ["6.6.6.6,"], PEER),
        ("nothing before the comma", [",10.1.1.1"], PEER),
        ("an empty line at the end", ["6.6.6.6", ""], PEER),
        ("commas", [",,,,"], PEER),
    ):
        ask(name, *lines, ip=ip)
    ask("everybody is trusted", "6.6.6.6, 1.2.3.4", trusted=["0.0.0.0/0", "::/0"], ip="6.6.6.6")
    ask("all of IPv6 is trusted, no mapped address", "6.6.6.6, ::ffff:1.2.3.4, 2a00::1", trusted=["::/0"], peer="::1", ip="1.2.3.4")
    ask("networks within one another", "6.6.6.6, 10.1.2.3, 10.200.0.1", trusted=["10.1.0.0/16", "10.0.0.0/8", "10.1.2.3/32"], ip="6.6.6.6")
    for peer in ("", "@", "unix:", "/run/app.sock", "testclient", " 10.0.0.1", "10.0.0.1 ", "010.0.0.1"):
        ask(f"a peer that is no address: {peer!r}", "1.2.3.4", peer=peer, ip="malformed")
        ask(f"a peer that is no address, and no header: {peer!r}", header=None, peer=peer, ip="malformed")
        ask(f"a peer that is no address, counted: {peer!r}", "1.2.3.4", peer=peer, hops=1, ip="1.2.3.4")
        ask(f"a peer that is no address, counted to junk: {peer!r}", "unknown", peer=peer, hops=1, ip="malformed")


def forms(ask: Any) -> None:
    for text, ip in ADDRESSES.items():
        ask(f"a peer: {text}", header=None, peer=text, ip=ip)
        ask(f"an entry: {text}", f"6.6.6.6, {text}", ip=ip)
        ask(f"X-Real-IP: {text}", text, header="x-real-ip", ip=ip)
        ask(f"for: {text}", f'for=6.6.6.6, for="{text}"', header="forwarded", ip=ip)
    for name, junk in JUNK.items():
        ask(f"an entry that is none: {name}", f"6.6.6.6, {junk}, 10.1.1.1", ip=PEER)
        ask(f"the only entry, and none: {name}", junk, ip=PEER)
        ask(f"X-Real-IP that is none: {name}", junk, header="x-real-ip", ip=PEER)
        if not junk.startswith(" "):
            ask(f"a peer that is none: {name}", header=None, peer=junk, ip="malformed")
    for name, lines in {"two addresses": ["1.2.3.4, 5.6.7.8"], "a comma": ["1.2.3.4,"], "two lines": ["1.2.3.4", "5.6.7.8"], "the same line twice": ["1.2.3.4", "1.2.3.4"], "an empty line before": ["", "1.2.3.4"], "an empty line behind": ["1.2.3.4", ""]}.items():
        ask(f"X-Real-IP of {name}", *lines, header="x-real-ip", ip=PEER)
        ask(f"X-Real-IP of {name}, counted", *lines, header="x-real-ip", hops=1, ip=PEER)
    ask("X-Real-IP of any peer where hops are counted", "1.2.3.4", header="x-real-ip", hops=2, peer="9.9.9.9", ip="1.2.3.4")


def counted(ask: Any) -> None:
    lines = ["1.1.1.1, junk", "3.3.3.3:80, [2a00::4]:80 ,5.5.5.5"]
    for hops, ip in ((1, "5.5.5.5"), (2, "2a00::4"), (3, "3.3.3.3"), (4, "9.9.9.9"), (5, "1.1.1.1"), (6, "9.9.9.9")):
        ask(f"{hops} hops", *lines, hops=hops, peer="9.9.9.9", ip=ip)
    ask("hops of no list", hops=1, peer="9.9.9.9", ip="9.9.9.9")
    ask("empty entries are hops", "1.1.1.1,,3.3.3.3", hops=3, peer="9.9.9.9", ip="1.1.1.1")
    ask("an empty entry is nobody", "1.1.1.1,,3.3.3.3", hops=2, peer="9.9.9.9", ip="9.9.9.9")
    ask("hops of Forwarded", "for=1.1.1.1, for=unknown;by=_b", "for=3.3.3.3", header="forwarded", hops=3, ip="1.1.1.1")
    ask("hops of Forwarded to the unknown", "for=1.1.1.1, for=unknown;by=_b", "for=3.3.3.3", header="forwarded", hops=2, ip=PEER)
    ask("255 hops", "1.1.1.1" + ",2.2.2.2" * 254, hops=255, ip="1.1.1.1")
    ask("255 hops, and one is missing", "1.1.1.1" + ",2.2.2.2" * 253, hops=255, ip=PEER)


def forwarded(ask: Any) -> None:
    for name, text in ELEMENTS.items():
        ask(f"an element: {name}", text, header="forwarded", ip="1.2.3.4")
        ask(f"an element behind another: {name}", f"for=6.6.6.6, {text},for=10.1.1.1", header="forwarded", ip="1.2.3.4")
    for name, text in NO_ELEMENTS.items():
        ask(f"an element that is none: {name}", text, header="forwarded", ip=PEER)
        ask(f"an element in the middle that is none: {name}", "for=6.6.6.6", text, "for=10.1.1.1", header="forwarded", ip=PEER)
        ask(f"an element that nobody reaches: {name}", f"{text}, for=1.2.3.4", header="forwarded", ip="1.2.3.4")
    for opened in ('for="', 'for="6.6.6.6', 'for=6.6.6.6;x="\\', '"', '\\"', 'x="\\\\\\"', 'for="6.6.6.6";"', "\\"):
        for appended in ("for=1.2.3.4", 'for="1.2.3.4:80";by="[2001:db8::1]"', 'by="a\\"b\\\\";for=1.2.3.4;host="x, y"'):
            ask(f"{opened} stays open before {appended}", f"{opened}, {appended}", "for=10.1.1.1", header="forwarded", ip="1.2.3.4")
    ask("a quote does not go over the end of a line", 'for="6.6.6.6', 'for="1.2.3.4"', header="forwarded", ip="1.2.3.4")
    ask("a quote that goes over the end of a line is none", 'for=6.6.6.6, for="', '1.2.3.4"', header="forwarded", ip=PEER)


def lengths(ask: Any) -> None:
    for header, entry, last in (("x-forwarded-for", "6.6.6.6, ", "1.2.3.4"), ("forwarded", 'for="', "for=1.2.3.4"), ("x-forwarded-for", ",", "1.2.3.4")):
        ask(f"20 KiB of {entry} before what the proxy appends to {header}", entry * (20_480 // len(entry)) + ", " + last, header=header, ip="1.2.3.4")
    proxies = ",10.1.1.1" * 1_819
    for blanks, ip in ((0, "111.2.3.4"), (4, "111.2.3.4"), (5, PEER)):
        ask(f"16 KiB of proxies, and {blanks} blanks before", "111.2.3.4" + " " * blanks + proxies, ip=ip)
    for blanks, ip in ((3, "111.2.3.4"), (4, PEER)):
        ask(f"16 KiB of proxies, {blanks} blanks and another before", "6.6.6.6,111.2.3.4" + " " * blanks + proxies, ip=ip)
    ask("X-Real-IP behind 16 KiB of blanks", " " * 16_384 + "1.2.3.4", header="x-real-ip", ip=PEER)


def buckets(ask: Any) -> None:
    for low in ("::", "::1", "0:0:ffff:1", "ffff:ffff:ffff:ffff"):
        ask(f"the bucket of 2a00:1:2:3 and {low}", header=None, peer="2a00:1:2:3" + (low if low.startswith("::") else ":" + low), attack=48)
    for prefix in (32, 33, 47, 48, 56, 63, 64, 65, 127, 128):
        for peer in ("2a00:1:ffff:ffff:ffff:4:5:7", "::1", "::ffff:1.2.3.4", "1.2.3.4"):
            ask(f"a bucket of {prefix} bits: {peer}", header=None, ipv6_prefix=prefix, peer=peer, attack=48)
    ask("the bucket of an address that the header names", "[2a00:1:2:3:4::5]:80", ipv6_prefix=56, trusted=TRUSTED, attack=48)


def configurations(ask: Any) -> None:
    for name, text in {
        "a bit behind the prefix": "10.0.0.5/8", "a bit behind a prefix of IPv6": "2001:db8::1/64", "33 bits": "10.0.0.0/33", "129 bits": "::/129", "a negative prefix": "10.0.0.0/-1", "a prefix with a sign": "10.0.0.0/+8", "a prefix with a leading zero": "10.0.0.0/08", "a prefix that is missing": "10.0.0.0/", "a prefix that is a mask": "10.0.0.0/255.0.0.0", "two prefixes": "10.0.0.0/8/8", "an address that is missing": "/8", "empty": "",
        "a leading zero": "010.0.0.0/8", "hexadecimal": "0x0a.0.0.0/8", "three numbers": "10.0.0/24", "one number": "10/8", "short": "127.1", "a blank": " 10.0.0.0/8", "a blank behind": "10.0.0.0/8 ", "a port": "10.0.0.0:80/8", "brackets": "[::1]/128", "a zone": "fe80::%eth0/64", "a zone behind": "fe80::/64%eth0", "a mapped network": "::ffff:10.0.0.0/104", "a mapped address": "::ffff:10.0.0.1", "all that is mapped": "::ffff:0:0/96", "a star": "*", "a name": "localhost", "an Arabic digit": "10.0.0.0/\u0668",
    }.items():  # fmt: skip
        ask(f"no network: {name}", "1.2.3.4", trusted=["10.0.0.0/8", text], ip="config_error", attack=55)
    for text in ("10.0.0.1", "10.0.0.1/32", "10.0.0.0/31", "0.0.0.0/0", "8.0.0.0/5"):
        ask(f"a network: {text}", "1.2.3.4", trusted=[text], ip="1.2.3.4", attack=55)
    for text in ("2001:db8::7", "2001:DB8:0::/48", "::/0", "2000::/3", "2001:db8::7/128"):
        ask(f"a network: {text}", "1.2.3.4", trusted=[text], peer="2001:db8::7", ip="1.2.3.4", attack=55)
    refused: dict[str, Any] = {
        "another header": {"header": "x-client-ip"}, "a header that is a list": {"header": ["forwarded"]}, "an empty header": {"header": ""}, "a header with a blank": {"header": "forwarded "}, "a header with underscores": {"header": "x_forwarded_for"},
        "trusted that is a text": {"trusted": "10.0.0.0/8"}, "trusted that has a number": {"trusted": [10]}, "trusted that has null": {"trusted": [None]}, "both trusted and hops": {"trusted": TRUSTED, "hops": 1}, "hops that are a text": {"hops": "1"}, "hops that are a fraction": {"hops": 1.0}, "hops that are true": {"hops": True}, "hops under zero": {"hops": -1}, "256 hops": {"hops": 256}, "2^32 + 1 hops": {"hops": 2**32 + 1}, "2^64 + 1 hops": {"hops": 2**63 - 1},
        "31 bits": {"ipv6_prefix": 31}, "129 bits": {"ipv6_prefix": 129}, "bits that are a text": {"ipv6_prefix": "64"}, "320 bits": {"ipv6_prefix": 320}, "4,097 networks": {"trusted": ["::1"] * 4097},
    }  # fmt: skip
    for name, config in refused.items():
        ask(f"a configuration that is none: {name}", "1.2.3.4", **config, ip="config_error", attack=None)
    ask("a header in capitals", "1.2.3.4", header="X-FORWARDED-FOR", ip="1.2.3.4", attack=None)
    ask("all of them null", "1.2.3.4", header=None, trusted=None, hops=None, ipv6_prefix=None, ip=PEER, attack=None)
    ask("trusted is empty and hops are counted", "1.2.3.4", trusted=[], hops=1, ip="1.2.3.4", attack=None)
    ask("hops are none and proxies are trusted", "1.2.3.4", trusted=TRUSTED, hops=0, ip="1.2.3.4", attack=None)


def at_random(ask: Any) -> None:
    draw = random.Random("client_ip")
    hosts = ["10.0.0.1", "10.255.0.9", "192.0.2.7", "192.0.2.8", "192.0.2.15", "192.0.2.16", "1.2.3.4", "2001:db8::1", "2001:db9::1", "::1", "::2", "::ffff:10.0.0.1", "::ffff:1.2.3.4", "2a00:1:2:3:4:5:6:7"]
    junk = ["", "unknown", "_hidden", "1.2.3", "[::1", "010.0.0.1", "10.0.0.0/8"]

    def entry() -> str:
        if draw.random() < 0.1:
            return draw.choice(junk)
        host, port = draw.choice(hosts), f":{draw.randrange(65536)}" if draw.random() < 0.3 else ""
        return f"[{host}]{port}" if ":" in host and (port or draw.random() < 0.5) else host + port

    def pair(text: str) -> str:
        node = text if text and set(text) <= set("0123456789.") and draw.random() < 0.5 else f'"{text}"'
        pairs = [f"{draw.choice(['for', 'For'])}={node}", *draw.sample(["proto=https", 'by="[::1]:_p"', 'host="a, \\"b\\\\"'], draw.randrange(3))]
        return draw.choice([";", " ; "]).join(draw.sample(pairs, len(pairs)))

    for number in range(400):
        header = draw.choice(["x-forwarded-for", "forwarded"])
        entries = [entry() for _ in range(draw.randrange(7))]
        texts = [pair(text) if header == "forwarded" else text for text in entries]
        lines: list[str] = []
        for text in texts:
            if lines and draw.random() < 0.7:
                lines[-1] += draw.choice([",", ", ", " ,\t"]) + text
            else:
                lines.append(text)
        config = {"hops": draw.randrange(1, 7)} if draw.random() < 0.3 else {"trusted": NETWORKS}
        ask(f"at random {number}", *lines, header=header, peer=draw.choice(["10.0.0.1", "[::1]:80", "192.0.2.9:1", "192.0.2.7"]), **config)
