"""Users whose sign-ins are followed step by step, each step a case: the request, what the reference decides, what is stored then."""

from __future__ import annotations

from typing import Any

from .jose import b64u
from .keys import stream
from .session_records import (
    COOKIE,
    DEVICE_1,
    DEVICE_2,
    DEVICE_3,
    PLAIN_RING,
    Entropy,
    Entry,
    Ring,
    agent,
    id_bytes,
    id_hash,
    id_text,
    network,
)
from .session_rules import Config, Rules, Verdict
from .suite import NOW, Case, Suite

NOW_MS = NOW * 1000
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
SOURCE = "docs/sessions.md"
HOME, ELSEWHERE = "192.0.2.7", "203.0.113.9"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
ROTATED = Ring(device=((DEVICE_1, "verify-only"), (DEVICE_2, "primary"), (DEVICE_3, "active")))


class User:
    """What is stored for one user, and every step that is taken with it, as cases of a suite."""

    def __init__(self, suite: Suite, title: str, *, ring: Ring = PLAIN_RING, config: Case | None = None, subject: str = "ann", stored: bytes = b"", since: int = 0) -> None:
        self.suite, self.title, self.steps = suite, title, 0
        self.ring, self.config, self.subject, self.stored, self.since = ring, config or {}, subject, stored, since
        self.attack: int | None = None

    @property
    def rules(self) -> Rules:
        return Rules(self.ring, Config(self.config))

    def request(self, op: str, **more: Any) -> Case:
        return {"op": op, "keyring": self.ring.jwks(), "config": self.config, **more}

    def name(self, what: str) -> str:
        self.steps += 1
        return f"{self.title}, {self.steps}: {what}"

    def taken(self, what: str, request: Case, verdict: Verdict, entropy: Entropy, made: Case, says: dict[str, Any], *, is_written: bool = True, outputs: bool = True) -> Verdict:
        """A step. What is said of it by hand is held against the reference."""
        for name, value in says.items():
            assert getattr(verdict, name) == value, (self.title, what, name, value, verdict)
        numbers = {name: getattr(verdict, name) for name in ("status", "reason", "write", "changes", "keep_ms")}
        session = {"session": verdict.session} if outputs and verdict.status in {"ok", "step_up_required"} else {}
        answer = {"ok": True} | made | numbers | {"record_hex": verdict.record.hex()} | session
        self.suite.add(self.name(what), request | {"entropy_hex": entropy.hex()}, answer, self.attack)
        if verdict.write and is_written:
            self.stored = verdict.record
        return verdict

    def begun(self, op: str, now: int, address: str, user_agent: str, label: str, data: bytes, is_written: bool, says: dict[str, Any]) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request(op, record_hex=self.stored.hex(), subject=self.subject, address=address, user_agent=user_agent, label=label, data_hex=data.hex(), now_ms=now, store_since_ms=self.since)
        rules = self.rules
        decide = rules.create if op == "session_create" else rules.begin_family
        verdict = decide(self.stored, self.subject, address, user_agent, label, data, now, self.since, entropy)
        made: Case = {"session_id": verdict.id} if op == "session_create" else {"state_hex": verdict.state.hex()}
        return self.taken(op.removeprefix("session_").replace("_", " "), request, verdict, entropy, made, says, is_written=is_written)

    def create(self, now: int, *, address: str = HOME, user_agent: str = FIREFOX, label: str = "", data: bytes = b"", is_written: bool = True, **says: Any) -> str:
        """The id; empty if none was made."""
        return self.begun("session_create", now, address, user_agent, label, data, is_written, says).id or ""

    def begin(self, now: int, *, address: str = HOME, user_agent: str = FIREFOX, label: str = "", data: bytes = b"", is_written: bool = True, **says: Any) -> str:
        """The family."""
        state = self.begun("session_begin_family", now, address, user_agent, label, data, is_written, says).state
        return b64u(state[16:])

    def check(self, text: str, now: int, *, address: str = HOME, user_agent: str = FIREFOX, is_written: bool = True, **says: Any) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request("session_check", record_hex=self.stored.hex(), session_id=text, address=address, user_agent=user_agent, now_ms=now, store_since_ms=self.since)
        verdict = self.rules.check(self.stored, text, address, user_agent, now, self.since, entropy)
        return self.taken("check", request, verdict, entropy, {}, says, is_written=is_written)

    def rotate(self, text: str, now: int, *, address: str = HOME, user_agent: str = FIREFOX, data: bytes = b"", **says: Any) -> str:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request("session_rotate", record_hex=self.stored.hex(), session_id=text, address=address, user_agent=user_agent, data_hex=data.hex(), now_ms=now, store_since_ms=self.since)
        verdict = self.rules.rotate(self.stored, text, address, user_agent, data, now, self.since, entropy)
        return self.taken("rotate", request, verdict, entropy, {"session_id": verdict.id}, says).id or ""

    def refresh(self, family: str, generation: int, now: int, *, issued_at_s: int | None = NOW, address: str = HOME, user_agent: str = FIREFOX, is_written: bool = True, **says: Any) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request(
            "session_refresh", record_hex=self.stored.hex(), subject=self.subject, family=family, generation=generation, issued_at_s=issued_at_s,
            address=address, user_agent=user_agent, now_ms=now, store_since_ms=self.since,
        )  # fmt: skip
        verdict = self.rules.refresh(self.stored, self.subject, family, generation, issued_at_s, address, user_agent, now, self.since, entropy)
        return self.taken("refresh", request, verdict, entropy, {"state_hex": verdict.state.hex()}, says, is_written=is_written)

    def list(self, now: int, named: str = "", /, **says: Any) -> None:
        sessions = self.rules.listed(self.stored, self.subject, named, now, self.since)
        for name, value in says.items():
            assert [session[name] for session in sessions] == value, (self.title, sessions)
        request = self.request("session_list", record_hex=self.stored.hex(), subject=self.subject, current=named, now_ms=now, store_since_ms=self.since)
        self.suite.add(self.name("list"), request, {"ok": True, "sessions": sessions}, self.attack)

    def revoke(self, which: str, handle: str, now: int, *, subject: str | None = None, is_written: bool = True, **says: Any) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request("session_revoke", record_hex=self.stored.hex(), subject=self.subject if subject is None else subject, which=which, handle=handle, now_ms=now, store_since_ms=self.since)
        verdict = self.rules.revoke(self.stored, self.subject if subject is None else subject, which, handle, now, self.since, entropy)
        made = {"revoked": verdict.revoked} if verdict.status == "ok" else {}
        return self.taken(f"revoke {which}", request, verdict, entropy, made, says, is_written=is_written, outputs=False)


def handle(text: str) -> str:
    raw = id_bytes(text)
    assert raw is not None
    return b64u(id_hash(raw)[:16])


def entry(user: User, number: int, at: int = NOW_MS, **changes: Any) -> Entry:
    """A session of ann's at home; its id is `ident`."""
    raw = id_bytes(ident(user, number))
    assert raw is not None
    return Entry(COOKIE, id_hash(raw), at + number, at + number, network(HOME, 24, 48), agent(FIREFOX), f"number {number}").but(**changes)


def ident(user: User, number: int) -> str:
    return id_text(user.ring.tags(user.subject)[0], stream(f"the id of number {number}", 32))


def no_ids(good: str) -> dict[str, str]:
    return {
        "empty": "", "a character short": good[:-1], "a character long": good + "A", "four characters short": good[:-4], "twice": good * 2, "padded": good[:-1] + "=", "in the other alphabet": good[:-1] + "/", "a plus": "+" + good[1:], "a blank before": " " + good[1:], "a line feed behind": good[:-1] + "\n",
        "a NUL": good[:-1] + "\x00", "a letter with an accent": good[:-2] + "\u00e9", "in hexadecimal": "0123456789abcdef" * 6, "its key": "{" + good[:22] + "}:sessions", "quoted": f'"{good[:-2]}"', "4 KiB": "A" * 4096,
    }  # fmt: skip
