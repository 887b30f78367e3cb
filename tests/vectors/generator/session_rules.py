"""What is decided about sign-ins, by the obvious way: lists of entries, and one `if` after the other (docs/sessions.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .jose import b64u
from .session_records import (
    COOKIE,
    FAMILY,
    NO_AGENT,
    TAG,
    TOKENS,
    Entropy,
    Entry,
    Record,
    Ring,
    State,
    agent,
    id_bytes,
    id_hash,
    id_text,
    is_within,
    label,
    network,
    network_text,
    parsed,
    sealed,
    unsealed,
)

UNKNOWN, MALFORMED, IDLE, ABSOLUTE, ADDRESS, AGENT, STORE, FOREIGN = range(1, 9)
MUST, MAY = 1, 2
ADDRESS_CHANGED, AGENT_CHANGED = 1, 2
SPARE_MS = 60_000
# 100 years: stores refuse an expiry that wraps.
MAX_KEEP_MS = 3_155_760_000_000
SEVERITY = ("report", "step_up", "invalidate")


@dataclass(frozen=True)
class Config:
    """A configuration, with what it does not say."""

    document: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        defaults = {
            "idle_timeout_s": 28_800, "absolute_timeout_s": 86_400, "touch_interval_s": 60, "max_per_user": 5, "at_limit": "evict_oldest",
            "family_lifetime_s": 2_592_000, "family_idle_timeout_s": 604_800, "refresh_grace_ms": 10_000, "sealed": False,
        }  # fmt: skip
        return self.document.get(name, defaults[name])

    def on_change(self, what: str) -> str:
        default = {"address": "invalidate", "user_agent": "report"}[what]
        return str(self.document.get(what, {}).get("on_change", default))

    def network(self, address: str) -> bytes:
        prefixes = {"ipv4_prefix": 24, "ipv6_prefix": 48} | self.document.get("address", {})
        return network(address, prefixes["ipv4_prefix"], prefixes["ipv6_prefix"])


@dataclass
class Verdict:
    """What was decided, and what is to be written for it."""

    status: str = "ok"
    reason: int = 0
    write: int = 0
    changes: int = 0
    keep_ms: int = 0
    record: bytes = b""
    session: dict[str, Any] | None = None
    id: str | None = None
    state: bytes = b""
    revoked: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Rules:
    """One keyring and one configuration."""

    ring: Ring
    config: Config

    # What is stored.

    def read(self, tag: bytes, stored: bytes) -> Record | None:
        """A record under the key of this tag."""
        if not self.config.sealed:
            return parsed(stored)
        plain = unsealed(self.ring, tag, stored)
        return None if plain is None else parsed(plain)

    def write(self, verdict: Verdict, how: int, tag: bytes, subject: str, entries: list[Entry], now: int, since: int, entropy: Entropy) -> None:
        live = [entry for entry in entries if not self.reason_of_death(entry, now, since)]
        verdict.write = how
        if live:
            verdict.keep_ms = min(max(self.end_of(entry) for entry in live) - now + SPARE_MS, MAX_KEEP_MS)
            plain = bytes(Record(subject, tuple(live)))
            verdict.record = sealed(self.ring, tag, plain, entropy) if self.config.sealed else plain

    # When it is over.

    def ends_of(self, entry: Entry) -> tuple[int, int]:
        """Without use, and in any case."""
        idle_s, absolute_s = (self.config.idle_timeout_s, self.config.absolute_timeout_s) if entry.kind == COOKIE else (self.config.family_idle_timeout_s, self.config.family_lifetime_s)
        return entry.seen_ms + idle_s * 1000, entry.created_ms + absolute_s * 1000

    def end_of(self, entry: Entry) -> int:
        return min(self.ends_of(entry))

    def reason_of_death(self, entry: Entry, now: int, since: int) -> int:
        if entry.created_ms < since:
            return STORE
        idle, absolute = self.ends_of(entry)
        if now < min(idle, absolute):
            return 0
        return IDLE if idle <= absolute else ABSOLUTE

    # What is told.

    def told(self, subject: str, entry: Entry) -> dict[str, Any]:
        return {
            "handle": entry.handle(), "subject": subject, "kind": "cookie" if entry.kind == COOKIE else "tokens", "label": entry.label, "data": b64u(entry.data),
            "created_ms": entry.created_ms, "seen_ms": entry.seen_ms, "expires_ms": self.end_of(entry), "network": network_text(entry.network),
        }  # fmt: skip

    def changes(self, entry: Entry, address: str, user_agent: str) -> int:
        changed = 0
        if entry.network and not is_within(address, entry.network):
            changed |= ADDRESS_CHANGED
        if entry.agent != NO_AGENT and agent(user_agent) != entry.agent:
            changed |= AGENT_CHANGED
        return changed

    # What is asked.

    def create(self, stored: bytes, subject: str, address: str, user_agent: str, name: str, data: bytes, now: int, since: int, entropy: Entropy) -> Verdict:
        return self.begin(stored, subject, now, since, entropy, lambda tag, at: self.new_cookie(tag, at, address, user_agent, name, data, entropy))

    def begin_family(self, stored: bytes, subject: str, address: str, user_agent: str, name: str, data: bytes, now: int, since: int, entropy: Entropy) -> Verdict:
        return self.begin(stored, subject, now, since, entropy, lambda _, at: self.new_family(at, now, address, user_agent, name, data, entropy))

    def new_cookie(self, tag: bytes, at: int, address: str, user_agent: str, name: str, data: bytes, entropy: Entropy) -> tuple[Verdict, Entry]:
        raw = tag + entropy.take(32)
        entry = Entry(COOKIE, id_hash(raw), at, at, self.config.network(address), agent(user_agent), label(name), data)
        return Verdict(id=id_text(tag, raw[TAG:])), entry

    def new_family(self, at: int, now: int, address: str, user_agent: str, name: str, data: bytes, entropy: Entropy) -> tuple[Verdict, Entry]:
        state = bytes(State(entropy.take(FAMILY), 0, now))
        entry = Entry(TOKENS, state, at, at, self.config.network(address), agent(user_agent), label(name), data)
        return Verdict(state=state), entry

    def begin(self, stored: bytes, subject: str, now: int, since: int, entropy: Entropy, new: Callable[[bytes, int], tuple[Verdict, Entry]]) -> Verdict:
        tag = self.ring.tags(subject)[0] if subject else entropy.take(TAG)
        record = self.read(tag, stored)
        if record is None or record.subject != subject:
            record = Record(subject, ())
        live = [entry for entry in record.entries if not self.reason_of_death(entry, now, since)]
        evicted: list[Entry] = []
        while len(live) >= self.config.max_per_user:
            if self.config.at_limit == "refuse":
                return Verdict("session_limit")
            evicted.append(live.pop(0))
        verdict, entry = new(tag, max(now, since))
        behind = len([other for other in live if other.created_ms <= entry.created_ms])
        live.insert(behind, entry)
        self.write(verdict, MUST, tag, subject, live, now, since, entropy)
        gone = [{"handle": other.handle(), "kind": "cookie" if other.kind == COOKIE else "tokens"} for other in evicted]
        verdict.session = self.told(subject, entry) | {"evicted": gone}
        return verdict

    def found(self, stored: bytes, text: str, now: int, since: int, entropy: Entropy) -> Verdict | tuple[bytes, Record, Entry]:
        """The session of an id, with its tag and record; or the refusal."""
        raw = id_bytes(text)
        if raw is None:
            return Verdict("invalid_session", MALFORMED)
        if not stored:
            return Verdict("invalid_session", UNKNOWN)
        tag = raw[:TAG]
        record = self.read(tag, stored)
        if record is None:
            return Verdict("invalid_session", FOREIGN)
        entries = [entry for entry in record.entries if entry.kind == COOKIE and entry.credential == id_hash(raw)]
        if not entries:
            return Verdict("invalid_session", UNKNOWN)
        if record.subject and tag not in self.ring.tags(record.subject):
            return Verdict("invalid_session", FOREIGN)
        reason = self.reason_of_death(entries[0], now, since)
        if reason:
            verdict = Verdict("invalid_session" if reason == STORE else "expired", reason)
            self.write(verdict, MAY, tag, record.subject, list(record.entries), now, since, entropy)
            return verdict
        return tag, record, entries[0]

    def check(self, stored: bytes, text: str, address: str, user_agent: str, now: int, since: int, entropy: Entropy) -> Verdict:
        found = self.found(stored, text, now, since, entropy)
        if isinstance(found, Verdict):
            return found
        tag, record, entry = found
        verdict = Verdict(changes=self.changes(entry, address, user_agent))
        said = {ADDRESS: "report", AGENT: "report"}
        if verdict.changes & ADDRESS_CHANGED:
            said[ADDRESS] = self.config.on_change("address")
        if verdict.changes & AGENT_CHANGED:
            said[AGENT] = self.config.on_change("user_agent")
        worst = max(said, key=lambda reason: SEVERITY.index(said[reason]))
        if said[worst] == "invalidate":
            verdict.status, verdict.reason = "invalid_session", worst
            self.write(verdict, MUST, tag, record.subject, [other for other in record.entries if other != entry], now, since, entropy)
            return verdict
        if said[worst] == "step_up":
            verdict.status, verdict.reason = "step_up_required", worst
            verdict.session = self.told(record.subject, entry)
            return verdict
        if now - entry.seen_ms >= self.config.touch_interval_s * 1000:
            seen = entry.but(seen_ms=now)
            self.write(verdict, MAY, tag, record.subject, [seen if other == entry else other for other in record.entries], now, since, entropy)
            entry = seen
        verdict.session = self.told(record.subject, entry)
        return verdict

    def rotate(self, stored: bytes, text: str, address: str, user_agent: str, data: bytes, now: int, since: int, entropy: Entropy) -> Verdict:
        found = self.found(stored, text, now, since, entropy)
        if isinstance(found, Verdict):
            return found
        tag, record, entry = found
        raw = tag + entropy.take(32)
        new = entry.but(credential=id_hash(raw), seen_ms=max(entry.seen_ms, now), network=self.config.network(address), agent=agent(user_agent), data=data or entry.data)
        verdict = Verdict(id=id_text(tag, raw[TAG:]), session=self.told(record.subject, new))
        self.write(verdict, MUST, tag, record.subject, [new if other == entry else other for other in record.entries], now, since, entropy)
        return verdict

    def read_of(self, subject: str, stored: bytes, text: str = "") -> tuple[bytes, Record | None]:
        """A subject's record under whichever of its keys it was written, and the tag of that key. Without a subject, that of an id."""
        raw = id_bytes(text)
        for tag in self.ring.tags(subject) if subject else [raw[:TAG]] if raw else []:
            record = self.read(tag, stored)
            is_its = record is not None and (record.subject == subject or (not subject and tag in self.ring.tags(record.subject)))
            if is_its:
                return tag, record
        return b"", None

    def refresh(self, stored: bytes, subject: str, family: str, generation: int, issued_at_s: int | None, address: str, user_agent: str, now: int, since: int, entropy: Entropy) -> Verdict:
        tag, record = self.read_of(subject, stored)
        entries = [] if record is None else [entry for entry in record.entries if entry.kind == TOKENS and entry.handle() == family]
        if record is None or not entries:
            since_s = since // 1000 + 1 if since else 0
            is_later = issued_at_s is not None and issued_at_s >= since_s
            reason = FOREIGN if stored and record is None else UNKNOWN if is_later else STORE
            return Verdict("revoked" if is_later else "state_stale", reason)
        entry = entries[0]
        reason = self.reason_of_death(entry, now, since)
        if reason:
            verdict = Verdict("state_stale" if reason == STORE else "expired", reason)
            self.write(verdict, MAY, tag, subject, list(record.entries), now, since, entropy)
            return verdict
        verdict = Verdict(changes=self.changes(entry, address, user_agent))
        state = State.read(entry.credential)
        if state.is_revoked:
            verdict.status, verdict.reason = "revoked", UNKNOWN
        elif generation > state.generation or (generation == state.generation and generation == 2**32 - 1):
            verdict.status, verdict.reason = "state_stale", UNKNOWN
        elif generation == state.generation:
            verdict.state = bytes(State(state.family, generation + 1, now))
            new = entry.but(credential=verdict.state, seen_ms=max(entry.seen_ms, now), network=self.config.network(address), agent=agent(user_agent))
            verdict.session = self.told(subject, new)
            self.write(verdict, MUST, tag, subject, [new if other == entry else other for other in record.entries], now, since, entropy)
        elif generation == state.generation - 1 and now - state.rotated_ms <= self.config.refresh_grace_ms:
            verdict.state = entry.credential
            verdict.session = self.told(subject, entry)
        else:
            verdict.status = "reuse_detected"
            self.write(verdict, MUST, tag, subject, [other for other in record.entries if other != entry], now, since, entropy)
        return verdict

    def listed(self, stored: bytes, subject: str, current: str, now: int, since: int) -> list[dict[str, Any]]:
        _, record = self.read_of(subject, stored, current)
        live = [] if record is None else [entry for entry in record.entries if not self.reason_of_death(entry, now, since)]
        return [self.told(subject, entry) | {"current": self.is_it(entry, current)} for entry in live]

    def is_it(self, entry: Entry, named: str) -> bool:
        """Whether an id or a handle is the entry's."""
        raw = id_bytes(named)
        return (entry.kind == COOKIE and entry.credential == id_hash(raw)) if raw else entry.handle() == named

    def revoke(self, stored: bytes, subject: str, which: str, named: str, now: int, since: int, entropy: Entropy) -> Verdict:
        tag, record = self.read_of(subject, stored, named)
        record = record or Record(subject, ())
        subject = record.subject
        live = [entry for entry in record.entries if not self.reason_of_death(entry, now, since)]
        if which == "all":
            return Verdict(write=MUST if stored else 0, revoked=[self.told(subject, entry) for entry in live])
        meant = [entry for entry in live if self.is_it(entry, named)]
        if not meant:
            return Verdict("invalid_session", UNKNOWN)
        others = [entry for entry in live if entry not in meant]
        goes, stays = (meant, others) if which == "one" else (others, meant)
        verdict = Verdict(revoked=[self.told(subject, entry) for entry in goes])
        if goes:
            self.write(verdict, MUST, tag, subject, stays, now, since, entropy)
        return verdict
