"""A reference for the client's address: slow, with the standard library's `ipaddress` and a regular expression of RFC 7239."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Config = dict[str, Any]

HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip")
READ = 16 * 1024

OWS = r"[ \t]*"
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"'
PAIR = rf"(?P<name>{TOKEN})=(?P<value>{TOKEN}|{QUOTED})"
BARE_PAIR = rf"(?:{TOKEN}=(?:{TOKEN}|{QUOTED}))"
ELEMENT = rf"{OWS}{BARE_PAIR}?(?:{OWS};{OWS}{BARE_PAIR}?)*{OWS}"
PORT = r"[0-9]{1,5}"
HIDDEN_PORT = r"_[0-9A-Za-z._-]+"
ZONE = r"[0-9A-Za-z._~%-]+"


class Refused(Exception):
    """The configuration, or a peer that is no address: the name of the status."""


def canonical(address: Address) -> Address:
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def address(text: str, port: str = PORT) -> Address | None:
    """An address with or without brackets, zone and port; at most 128 bytes."""
    if len(text.encode()) > 128:
        return None
    quad = re.fullmatch(rf"([0-9.]+)(?::({port}))?", text, re.ASCII)
    bare = re.fullmatch(rf"([0-9A-Fa-f:.]+)(?:%{ZONE})?", text, re.ASCII)
    boxed = re.fullmatch(rf"\[([0-9A-Fa-f:.]+)(?:%{ZONE})?\](?::({port}))?", text, re.ASCII)
    try:
        if quad and is_port(quad[2]):
            return IPv4Address(quad[1])
        if boxed and is_port(boxed[2]):
            return canonical(IPv6Address(boxed[1]))
        if bare:
            return canonical(IPv6Address(bare[1]))
    except ValueError:
        pass
    return None


def is_port(text: str | None) -> bool:
    return text is None or text.startswith("_") or int(text) < 65536


def network(text: str) -> Any:
    """A network in its one notation; the bits behind the prefix are zero."""
    if not re.fullmatch(r"[0-9A-Fa-f:.]+(/(0|[1-9][0-9]*))?", text, re.ASCII):
        raise Refused("config_error")
    try:
        made = ip_network(text, strict=True)
    except ValueError:
        raise Refused("config_error") from None
    if isinstance(made, IPv6Network) and made.network_address.ipv4_mapped:
        raise Refused("config_error")
    return made


class Proxies:
    """What a host says about its proxies."""

    def __init__(self, config: Config) -> None:
        given = {name: value for name, value in config.items() if value is not None}
        if not given.keys() <= {"header", "trusted", "hops", "ipv6_prefix"}:
            raise Refused("config_error")
        header, self.hops, self.prefix, trusted = given.get("header"), given.get("hops", 0), given.get("ipv6_prefix", 64), given.get("trusted", [])
        self.header = header.lower() if isinstance(header, str) else header
        if self.header is not None and self.header not in HEADERS:
            raise Refused("config_error")
        for number, least, most in ((self.hops, 0, 255), (self.prefix, 32, 128)):
            if type(number) is not int or not least <= number <= most:
                raise Refused("config_error")
        if not isinstance(trusted, list) or not all(isinstance(text, str) for text in trusted) or len(trusted) > 4096:
            raise Refused("config_error")
        self.trusted = [network(text) for text in trusted]
        if self.trusted and self.hops:
            raise Refused("config_error")

    def trusts(self, one: Address | None) -> bool:
        return any(one in each for each in self.trusted if one is not None and one.version == each.version)

    def client(self, peer_text: str, lines: list[str]) -> Config:
        peer = address(peer_text)
        named = self.named(peer, lines)
        found = named or peer
        if found is None:
            raise Refused("malformed")
        return {"ip": str(found), "bucket": self.bucket(found), "from_header": named is not None}

    def bucket(self, one: Address) -> str:
        if isinstance(one, IPv4Address):
            return str(one)
        return str(IPv6Network((one, self.prefix), strict=False))

    def named(self, peer: Address | None, lines: list[str]) -> Address | None:
        if self.header is None or not (self.hops or self.trusts(peer)):
            return None
        entries = self.entries("\n".join(lines))
        if self.header == "x-real-ip":
            return entries[0] if len(entries) == 1 else None
        if self.hops:
            return entries[-self.hops] if len(entries) >= self.hops else None
        for entry in reversed(entries):
            if entry is None or not self.trusts(entry):
                return entry
        return entries[0]

    def entries(self, text: str) -> list[Address | None]:
        """The addresses of the list, `None` for what is none. What the last 16 KiB cut in two is none."""
        whole = text.encode()
        texts = split_forwarded(read(whole)) if self.header == "forwarded" else re.split("[,\n]", read(whole))
        read_one = element if self.header == "forwarded" else lambda entry: address(entry.strip(" \t"))
        addresses = [read_one(each) for each in texts]
        return [None, *addresses[1:]] if len(whole) > READ else addresses


def read(whole: bytes) -> str:
    return whole[-READ:].decode(errors="replace")


def split_forwarded(text: str) -> list[str]:
    """The elements of every line: from its end, the shortest that is one; of what is none, all of the line's rest."""
    elements = []
    for line in text.split("\n"):
        found: list[str] = []
        rest: str | None = line
        while rest is not None:
            starts = [at + 1 for at, c in enumerate(rest) if c == ","]
            start = next((at for at in reversed(starts) if re.fullmatch(ELEMENT, rest[at:])), 0)
            found.insert(0, rest[start:])
            rest = rest[: start - 1] if start else None
        elements += found
    return elements


def element(text: str) -> Address | None:
    """The address of an element's one `for`."""
    if not re.fullmatch(ELEMENT, text):
        return None
    nodes = [pair["value"] for pair in re.finditer(PAIR, text) if pair["name"].lower() == "for"]
    if len(nodes) != 1:
        return None
    node = nodes[0]
    return address(node[1:-1] if node.startswith('"') else node, rf"{PORT}|{HIDDEN_PORT}")
