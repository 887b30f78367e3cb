"""Requests about revocation: a store that fills, the sets that are published of it, its marker, and what each says of tokens."""

from __future__ import annotations

from typing import Any

from playing import NOW, NOW_MS, Answer, Played, secret
from texts import STRINGS, Members, dump

DEVICES = [secret("device", "device"), secret("older device", "device", "verify-only")]
RULES = [{"keys": DEVICES[:1]}, {"keys": DEVICES}]
SIGNING: list[Answer] = [{"keys": [secret("set", "token")]}, {"keys": [secret("next", "token", "active"), secret("set", "token")]}]
CONFIGS: list[Any] = [None, {}, {"skew_s": 0}, {"skew_s": 300, "longest_ttl_s": 3600}]
# So many that few of them are revoked.
NAMES = {"subject": ["ann", "zo\u00eb", "a" * 1024, *(f"user-{n}" for n in range(200))], "token": [f"token-{n}" for n in range(500)], "family": [f"family-{n}" for n in range(500)], "key": ["\u9375", *(f"key-{n}" for n in range(300))]}


class Revocations(Played):
    """The operations of revocation, of the store's marker, and of the offline set."""

    revoked: dict[str, str]
    taken: list[tuple[str, str, str]]
    markers: list[str]
    sets: list[str]

    def remembered(self) -> None:
        if not hasattr(self, "revoked"):
            self.revoked, self.taken, self.markers, self.sets = {}, [], [""], []

    # ---- what is asked ----

    def rules(self, op: str) -> Members:
        self.remembered()
        config = self.pick(CONFIGS)
        return [("op", dump(op)), ("keyring", dump(self.pick(RULES))), *([] if config is None else [("config", dump(config))])]

    def token(self, likely: float) -> Members:
        """What of a token is asked, of which some was revoked, as likely as this."""
        fields = {"subject": "subject", "token_id": "token", "family": "family", "key_id": "key"}
        names = {name: "" if self.chance(0.15) else str(self.pick(NAMES[kind])) for name, kind in fields.items()}
        if self.taken and self.chance(likely):
            kind, subject, name = self.pick(self.taken[-20:])
            names |= {"subject": subject} | ({} if kind == "subject" else {{"token": "token_id", "family": "family", "key": "key_id"}[kind]: name})
        return [(name, dump(text)) for name, text in names.items()]

    def values(self, members: Members, **given: str) -> Members:
        """What lies under the keys that are read."""
        asked = [(name, text) for name, text in members if name != "subject" or not given] + [(name, dump(text)) for name, text in given.items()]
        keys = self.play(asked, op="revocation_keys").get("keys", [])
        values = [self.revoked.get(key, "") for key in keys]
        if values and self.chance(0.08):
            at = self.random.randrange(len(values))
            values[at] = self.flipped(bytes.fromhex(values[at])).hex()
        if self.chance(0.03):
            values.append("")
        return [("values_hex", dump(values))]

    def odd_revocation(self, members: Members) -> Members:
        if self.chance(0.8):
            return members
        names = [name for name, _ in members]
        changes = {
            "keyring": dump(self.pick([*RULES, *SIGNING, {"keys": []}])), "config": self.pick(['{"skew_s":301}', '{"longest_ttl_s":0}', '{"x":1}', "[]", "null"]), "subject": str(self.pick(STRINGS)), "name": str(self.pick(STRINGS)), "now_ms": str(self.pick([0, -1, 2**63 - 1])), "now_s": str(self.pick([0, NOW + 10**6, 2**63 - 1])),
            "store_since_ms": str(self.pick([NOW_MS, NOW_MS - 1, 1, -1, 2**63 - 1])), "issued_at_s": str(self.pick(["null", -1, 0, 2**63 - 1, -(2**63)])), "until_s": str(self.pick(["null", 0, 2**63 - 1, -(2**63)])), "kind": str(self.pick(['"session"', '"Token"', '""'])), "sequence": str(self.pick([0, -1, 2**63 - 1])), "skew_s": str(self.pick([0, 300, 301, -1, 65536])),
            "valid_until_s": str(self.pick([NOW, NOW + 86_400, NOW + 86_401, 2**63 - 1])), "entropy_hex": dump(self.random.randbytes(self.pick([0, 15])).hex()), "last_sequence": str(self.pick([0, 2**63 - 1, -1])), "max_silence_ms": str(self.pick([0, -1, 1, 2**63 - 1])),
        }  # fmt: skip
        name = self.pick([name for name in changes if name in names] or ["op"])
        return [(each, changes[name] if each == name != "op" else text) for each, text in members]

    # ---- the store ----

    def revocation_keys(self) -> Members:
        return self.odd_revocation([*self.rules("revocation_keys"), *self.token(likely=0.3)])

    def revocation_record_check(self) -> Members:
        members = [*self.rules("revocation_record_check"), *self.token(likely=0.3)]
        issued_at_s = str(NOW + self.random.randrange(-2000, 2000) if self.chance(0.5) else NOW + 10**5)
        return self.odd_revocation([*members, ("issued_at_s", issued_at_s), *self.values(members), ("store_since_ms", str(self.pick([0, 0, NOW_MS])))])

    def revocation_issue_since(self) -> Members:
        members, subject = self.rules("revocation_issue_since"), self.pick(NAMES["subject"])
        values = self.values(members, subject=subject, token_id="", family="", key_id="")
        return self.odd_revocation([*members, ("subject", dump(subject)), *values, ("store_since_ms", str(self.pick([0, 0, NOW_MS, NOW_MS + 999])))])

    def place(self) -> tuple[tuple[str, str, str], Members]:
        """What is revoked, and the members that name it."""
        kind = self.pick(["token", "token", "family", "subject", "subject", "key"])
        name = "" if kind == "subject" else self.pick(NAMES[kind])
        subject = self.pick(NAMES["subject"])
        if self.taken and self.chance(0.3):
            kind, subject, name = self.pick(self.taken)
        return (kind, subject, name), [("kind", dump(kind)), ("subject", dump(subject)), ("name", dump(name))]

    def revocation_key(self) -> Members:
        return self.odd_revocation([*self.rules("revocation_key"), *self.place()[1]])

    def revocation_revoke(self) -> Members:
        what, named = self.place()
        members = [*self.rules("revocation_revoke"), *named]
        key = self.play(members, op="revocation_key").get("key", "")
        stored = self.revoked.get(key, "")
        if self.chance(0.08):
            stored = self.pick([self.flipped(bytes.fromhex(stored)).hex(), self.pick([*self.revoked.values(), ""])])
        now_ms = NOW_MS + self.random.randrange(-2_000_000, 2_000_000)
        until_s = None if what[0] == "subject" else self.pick([None, NOW + self.random.randrange(-1000, 4000)])
        members += [("stored_hex", dump(stored)), ("until_s", dump(until_s)), ("now_ms", str(now_ms)), ("store_since_ms", str(self.pick([0, 0, NOW_MS, now_ms])))]
        answer = self.play(members)
        if answer:
            self.revoked[key] = answer["value_hex"]
            self.taken.append(what)
        return self.odd_revocation(members)

    # ---- the marker ----

    def store_marker(self) -> Members:
        self.remembered()
        stored, seen = (self.pick(self.markers[-6:]) for _ in range(2))
        if self.chance(0.1):
            stored = self.flipped(bytes.fromhex(stored)).hex()
        if self.chance(0.03):
            seen = self.flipped(bytes.fromhex(seen)).hex()
        now_ms = NOW_MS + len(self.markers) * self.pick([1, 1000, 20_000, 20_000])
        members = [("op", '"store_marker"'), ("stored_hex", dump(stored)), ("seen_hex", dump(seen)), ("max_silence_ms", str(self.pick([3_600_000, 3_600_000, 60_000]))), ("now_ms", str(now_ms))]
        answer = self.play(members)
        if answer:
            self.markers.append(answer["marker_hex"])
        return self.odd_revocation(members)

    # ---- the offline set ----

    def revocation_set_sign(self) -> Members:
        self.remembered()
        records = list(self.revoked.values())[-self.pick([1, 16, 17, 40, 200]) :]
        if self.chance(0.05):
            records.append(self.flipped(bytes.fromhex(self.pick([*records, ""]))).hex())
        issued_at_s = NOW + self.random.randrange(-2000, 600)
        members: Members = [
            ("op", '"revocation_set_sign"'), ("keyring", dump(self.pick(SIGNING))), ("sequence", str(len(self.sets))), ("store_since_ms", str(self.pick([0, 0, NOW_MS]))), ("skew_s", str(self.pick([0, 2, 2, 300]))),
            ("issued_at_s", str(issued_at_s)), ("valid_until_s", str(issued_at_s + self.pick([60, 3600, 86_400, 86_400]))), ("records_hex", dump(records)), ("entropy_hex", dump(self.random.randbytes(16).hex())),
        ]  # fmt: skip
        answer = self.play(members)
        if answer:
            self.sets.append(answer["set_hex"])
        return self.odd_revocation(members)

    def of_a_set(self, op: str) -> Members:
        self.remembered()
        if not self.sets:
            self.revocation_set_sign()
        at = self.random.randrange(max(0, len(self.sets) - 8), len(self.sets)) if self.sets else 0
        text = self.sets[at] if self.sets else ""
        if self.chance(0.15):
            text = self.flipped(bytes.fromhex(text)).hex()
        return [("op", dump(op)), ("keyring", dump(self.pick(SIGNING))), ("set_hex", dump(text)), ("last_sequence", str(max(0, at - self.pick([0, 0, 0, 1, -1])))), ("now_s", str(NOW + self.random.randrange(-300, 300)))]

    def revocation_set_open(self) -> Members:
        return self.odd_revocation(self.of_a_set("revocation_set_open"))

    def revocation_set_info(self) -> Members:
        return self.odd_revocation(self.of_a_set("revocation_set_info"))

    def revocation_set_check(self) -> Members:
        issued_at_s, at_s = str(NOW + self.random.randrange(-2000, 2000)), str(NOW + self.random.randrange(-300, 2000))
        return self.odd_revocation([*self.of_a_set("revocation_set_check"), *self.token(likely=0.3), ("issued_at_s", issued_at_s), ("at_s", at_s)])
