"""Requests about sessions: users who log in, are checked, rotate, refresh and are revoked, for hours and days."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from playing import NOW_MS, Answer, Played, secret
from texts import STRINGS, Members, dump

KEYS = [secret("device", "device"), secret("csrf", "csrf"), secret("envelope", "envelope")]
KEYRINGS = [{"keys": KEYS}, {"keys": [secret("older device", "device", "verify-only"), *KEYS, secret("older csrf", "csrf", "verify-only")]}]
CONFIGS: list[dict[str, Any]] = [
    {}, {}, {"max_per_user": 2}, {"max_per_user": 2, "at_limit": "refuse"}, {"idle_timeout_s": 900, "absolute_timeout_s": 7200, "touch_interval_s": 1}, {"address": {"on_change": "step_up"}, "user_agent": {"on_change": "invalidate"}},
    {"address": {"on_change": "report", "ipv4_prefix": 32, "ipv6_prefix": 64}, "user_agent": {"on_change": "step_up"}}, {"sealed": True}, {"sealed": True, "max_per_user": 2}, {"family_lifetime_s": 86400, "family_idle_timeout_s": 3600, "refresh_grace_ms": 0}, {"csrf_token": "not_required"},
    {"cookie": {"name": "__Secure-id", "same_site": "none", "domain": "example.com", "path": "/app"}, "trusted_origins": ["https://app.example.com"]}, {"cookie": {"name": "id", "insecure": True, "persistent": False}},
]  # fmt: skip
BAD_CONFIGS = [
    '{"idle_timeout_s":0}', '{"idle_timeout_s":90000}', '{"touch_interval_s":20000}', '{"max_per_user":65}', '{"max_per_user":0}', '{"at_limit":"evict"}', '{"address":{"on_change":"ignore"}}', '{"address":{"ipv4_prefix":33}}', '{"sealed":1}', '{"cookie":{"name":"__Host-a","domain":"x.y"}}', '{"cookie":{"name":"a"}}',
    '{"cookie":{"same_site":"none","insecure":true,"name":"a"}}', '{"trusted_origins":["https://*.example.com"]}', '{"trusted_origins":["null"]}', '{"trusted_origins":["https://a.com/"]}', '{"x":1}', "[]", "{", '{"refresh_grace_ms":300001}', '{"csrf_token":"no"}',
]  # fmt: skip
ADDRESSES = ["192.0.2.7", "192.0.2.7", "192.0.2.200", "198.51.100.1", "2001:db8::1", "2001:db8:0:ffff::1", "::ffff:192.0.2.9", ""]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0", "curl/8.5.0", "", "1.2.3"]
LABELS = ["", "Ann's phone", "a\u202eb\u0007c", "\u00e9" * 40, "\U0001f600" * 17]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "POST", "PUT", "DELETE", "get", ""]
SITES = ["", "same-origin", "none", "same-site", "cross-site", "Same-Origin", "x"]
ORIGINS = ["", "https://app.example.com", "https://app.example.com:443", "https://APP.example.com", "https://evil.example", "null", "http://app.example.com", "x"]


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class User:
    """What a store has of one user, and what the user's clients have."""

    subject: str
    keyring: Answer
    config: dict[str, Any]
    record: bytes = b""
    ids: list[str] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)
    handles: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    now_ms: int = NOW_MS
    store_since_ms: int = 0


class Sessions(Played):
    """The operations of sessions, of cookies, and of requests from other sites."""

    users: list[User]

    # ---- whoever it is about ----

    def user(self) -> User:
        """One of a few users, who now and then goes and makes room for another."""
        if not hasattr(self, "users"):
            self.users = []
        if len(self.users) < 6:
            subject = self.pick(["ann", "bob", "zo\u00eb", "a" * 1024, "user:1"])
            self.users.append(User(subject, self.pick(KEYRINGS), self.pick(CONFIGS)))
        user = self.pick(self.users)
        if self.chance(0.01):
            self.users.remove(user)
        user.now_ms += self.pick([0, 1, 1000, 5000, 61_000, 61_000, 600_000] + [5_000_000, 30_000_000, 90_000_000] * self.chance(0.1))
        if self.chance(0.003):
            user.store_since_ms = user.now_ms
        return user  # type: ignore[no-any-return]

    def asked(self, op: str, user: User, **fields: Any) -> Members:
        return [("op", dump(op)), ("keyring", dump(user.keyring)), ("config", dump(user.config)), *((name, dump(value)) for name, value in fields.items())]

    def odd_session(self, members: Members) -> Members:
        """Now and then other keys, another configuration, another time, another text, a record that was damaged."""
        if self.chance(0.75):
            return members
        known = dict(members)
        changes = {
            "config": dump(self.pick(CONFIGS)), "keyring": dump(self.pick([*KEYRINGS, {"keys": KEYS[:2]}, {"keys": KEYS[1:]}, {"keys": []}])), "now_ms": str(self.pick([0, -1, NOW_MS, 2**47, 2**63 - 1])), "store_since_ms": str(self.pick([NOW_MS, 2**40, -1])), "subject": str(self.pick([*STRINGS, '"ann"', dump("a" * 1025)])),
            "session_id": dump(self.id_of(None)), "family": str(self.pick(STRINGS)), "label": str(self.pick(STRINGS)), "user_agent": str(self.pick(STRINGS)), "address": str(self.pick([*STRINGS, '"1.2.3.4/8"', '"fe80::1%eth0"'])), "data_hex": dump(self.random.randbytes(self.pick([1, 512, 513])).hex()),
            "entropy_hex": dump(self.random.randbytes(self.pick([0, 31, 32, 47, 48])).hex()), "record_hex": dump(self.flipped(bytes.fromhex(str(known.get("record_hex", '""'))[1:-1])).hex()),
        }  # fmt: skip
        name = self.pick([name for name in changes if name in known])
        return [(each, changes[name] if each == name else text) for each, text in members]

    def entropy(self) -> str:
        return self.random.randbytes(160).hex()

    def client(self) -> dict[str, str]:
        """Mostly the same one."""
        if self.chance(0.8):
            return {"address": "192.0.2.7", "user_agent": AGENTS[0]}
        return {"address": self.pick(ADDRESSES), "user_agent": self.pick(AGENTS)}

    def times(self, user: User) -> dict[str, int]:
        return {"now_ms": user.now_ms, "store_since_ms": user.store_since_ms}

    def id_of(self, user: User | None) -> str:
        if user and user.ids and self.chance(0.9):
            return str(self.pick(user.ids[-4:] if self.chance(0.9) else user.ids))
        return b64u(self.random.randbytes(self.pick([48, 48, 47, 0])))

    def data(self) -> str:
        return self.random.randbytes(self.pick([0, 0, 5, 512])).hex()

    def kept(self, user: User, answer: Answer) -> Answer:
        """The store writes what it is told to."""
        if answer and answer.get("write"):
            user.record = bytes.fromhex(answer["record_hex"])
        session = answer.get("session")
        if session:
            user.handles = [*user.handles[-5:], session["handle"]]
        if answer.get("write") and not user.record:
            user.ids, user.states = [], []
        return answer

    # ---- the operations ----

    def session_diagnose(self) -> Members:
        text = dump(self.pick(CONFIGS)) if self.chance(0.5) else self.pick(BAD_CONFIGS)
        members = self.asked("session_diagnose", self.user())
        return [(name, dump(self.mutated_json(text) if self.chance(0.2) else text) if name == "config" else given) for name, given in members]

    def session_keys(self) -> Members:
        user = self.user()
        return self.odd_session(self.asked("session_keys", user, subject=user.subject))

    def session_key(self) -> Members:
        user = self.user()
        return self.odd_session(self.asked("session_key", user, session_id=self.id_of(user)))

    def session_create(self) -> Members:
        user, anonymous = self.user(), self.chance(0.05)
        members = self.asked("session_create", user, record_hex="" if anonymous else user.record.hex(), subject="" if anonymous else user.subject, **self.client(), label=self.pick(LABELS), data_hex=self.data(), **self.times(user), entropy_hex=self.entropy())
        if not anonymous:
            made = self.kept(user, self.play(members)).get("session_id")
            user.ids += [made] if made else []
        return self.odd_session(members)

    def session_check(self) -> Members:
        user = self.user()
        members = self.asked("session_check", user, record_hex=user.record.hex(), session_id=self.id_of(user), **self.client(), **self.times(user), entropy_hex=self.entropy())
        self.kept(user, self.play(members))
        return self.odd_session(members)

    def session_rotate(self) -> Members:
        user = self.user()
        before = self.id_of(user)
        members = self.asked("session_rotate", user, record_hex=user.record.hex(), session_id=before, **self.client(), data_hex=self.data(), **self.times(user), entropy_hex=self.entropy())
        made = self.kept(user, self.play(members)).get("session_id")
        # The old one is asked for now and then, which is dead.
        user.ids = [made if made and one == before and self.chance(0.8) else one for one in user.ids]
        return self.odd_session(members)

    def session_begin_family(self) -> Members:
        user = self.user()
        members = self.asked("session_begin_family", user, record_hex=user.record.hex(), subject=user.subject, **self.client(), label=self.pick(LABELS), data_hex=self.data(), **self.times(user), entropy_hex=self.entropy())
        state = self.kept(user, self.play(members)).get("state_hex")
        user.states += [bytes.fromhex(state)] if state else []
        return self.odd_session(members)

    def session_refresh(self) -> Members:
        user = self.user()
        state = self.pick(user.states[-3:]) if user.states and self.chance(0.95) else bytes([1]) + bytes(15) + self.random.randbytes(16)
        # Mostly the live token of the family, now and then the one before it, or one that is older.
        generation = max(0, int.from_bytes(state[4:8], "big") + self.pick([0, 0, 0, 0, 0, 0, -1, -2, 1]))
        members = self.asked("session_refresh", user, record_hex=user.record.hex(), subject=user.subject, family=b64u(state[16:32]), generation=generation, issued_at_s=self.pick([user.now_ms // 1000 - 5] * 6 + [None, 0]), **self.client(), **self.times(user), entropy_hex=self.entropy())
        answer = self.kept(user, self.play(members))
        if answer.get("state_hex") and state in user.states:
            user.states[user.states.index(state)] = bytes.fromhex(answer["state_hex"])
        return self.odd_session(members)

    def session_list(self) -> Members:
        user = self.user()
        current = self.pick([self.id_of(user), self.pick(user.handles) if user.handles else "", ""])
        return self.odd_session(self.asked("session_list", user, record_hex=user.record.hex(), subject=user.subject, current=current, **self.times(user)))

    def session_revoke(self) -> Members:
        user, which = self.user(), self.pick(["one"] * 8 + ["others"] * 2 + ["all", "none"])
        handle = "" if which == "all" else self.pick([self.id_of(user), self.pick(user.handles[-3:]) if user.handles else "x"])
        members = self.asked("session_revoke", user, record_hex=user.record.hex(), subject=user.subject, which=which, handle=handle, **self.times(user), entropy_hex=self.entropy())
        self.kept(user, self.play(members))
        return self.odd_session(members)

    def session_csrf_token(self) -> Members:
        user = self.user()
        members = self.asked("session_csrf_token", user, session_id=self.id_of(user), entropy_hex=self.random.randbytes(16).hex())
        answer = self.play(members)
        if answer:
            user.tokens.append((dict(members)["session_id"], answer["token"]))
        return self.odd_session(members)

    def session_check_request(self) -> Members:
        user = self.user()
        id, token = self.pick(user.tokens[-4:]) if user.tokens else (dump(""), "")
        if self.chance(0.2):
            id, token = self.pick([(dump(""), token), (id, ""), (dump(self.id_of(user)), token), (id, token[:-1] + "A")])
        fields = {"method": self.pick(METHODS), "sec_fetch_site": self.pick(SITES), "origin": self.pick(ORIGINS), "host": self.pick(["app.example.com", "app.example.com", "app.example.com:443", ""])}
        return self.odd_session([*self.asked("session_check_request", user), ("session_id", id), *((name, dump(value)) for name, value in fields.items()), ("csrf_token", dump(token))])

    def session_cookie(self) -> Members:
        user = self.user()
        return self.odd_session(self.asked("session_cookie", user, session_id="" if self.chance(0.2) else self.id_of(user)))

    def session_csrf_cookie(self) -> Members:
        user = self.user()
        token = self.pick(user.tokens)[1] if user.tokens else ""
        return self.odd_session(self.asked("session_csrf_cookie", user, token=self.pick([token, token, "", "x", "a;b"])))

    def session_read_cookie(self) -> Members:
        user = self.user()
        name = user.config.get("cookie", {}).get("name", "__Host-session")
        pairs = [f"{name}={self.id_of(user)}"] * self.pick([0, 1, 1, 1, 1, 2]) + self.random.sample(["a=1", "theme=dark", f"{name}2=x", f" {name.upper()}=y", "bare", "=", "q=\"x\"", "\u00e9=1"], self.random.randrange(4))
        self.random.shuffle(pairs)
        return self.odd_session(self.asked("session_read_cookie", user, header=self.pick(["; ", ";", " ; ", ";\t"]).join(pairs)))
