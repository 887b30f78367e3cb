#!/usr/bin/env python3
"""Random sequences of what is done with sessions, in every store, held against a slow and obvious model.

    tests/redis/session_model.py [--steps 2000] [--seed 6] [--store memory]…

The model is lists of sign-ins and of what was taken back, after docs/sessions.md, by a clock of its own, which leaps to
the moments at which something ends, an ms before or after, and sometimes goes back. Every outcome has to be the model's:
what a session says of itself, what was evicted, what has changed, when tokens were stamped; or the exception, with its
reason and why. After every step the user's list is, too. Two managers take turns in one store, as two processes would.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import random
import secrets
import sys
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import redis
from donjon import DonjonError, Keyring, TokenIssuer, TokenVerifier, _clock
from donjon.records import CachedRecords, MemoryRecords, RecordStore
from donjon.redis import RedisRecords
from donjon.sessions import Session, SessionManager, TokenPair
from donjon.sqlalchemy import SqlRecords
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import HOST, Server, within
from sqlalchemy import create_engine, event

sys.path.append(str(Path(__file__).resolve().parents[2] / "bindings/python/tests/database"))

from postgresql import PostgreSQL, binaries

MASTER = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"
PURPOSES = ("token", "state-binding", "device", "csrf", "envelope")
KEYRING = Keyring.from_master(MASTER, keys=[{"purpose": purpose, "epoch": 1} for purpose in PURPOSES])
STORES = ("memory", "cached", "redis", "sqlite", "postgresql")

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
SILENCE = 24 * HOUR
ACCESS_S, REFRESH_S = 1800, 7 * 86_400
# How much later than what was taken back a token has to be stamped, and how early it may come.
SKEW_S, EARLY_S = 2, 3
BEGAN = 1_800_000_000_000

USERS = ("ann", "bob", "çelik", "user of a name that is rather long, as addresses of mail are")
ADDRESSES = ("192.0.2.1", "192.0.2.1", "192.0.2.77", "198.51.100.9", "2001:db8:1::1", "2001:db8:1:2::3", "2001:db8:2::1", "")
AGENTS = ("Firefox/150.0", "Firefox/150.0", "Firefox/151.0.1", "Chrome/140", "")
# After so many steps there is another configuration, and there are other users.
STEPS_OF_A_LIFE = 250
# A step takes a tenth of it; and servers have to start.
MOST_S_PER_STEP, MOST_S_BESIDES = 0.03, 120


class Failed(Exception):
    """Something is not as the model has it."""


class Refused(Exception):
    """The model refuses, with this exception of donjon's."""

    def __init__(self, name: str, reason: str, why: str = "", session: dict[str, Any] | None = None) -> None:
        self.outcome = {"refused": name, "reason": reason, "why": why, "session": session}


class Client(NamedTuple):
    address: str
    user_agent: str


@dataclass
class SignIn:
    """What the model knows of one. `id` is of a cookie's session, the others of a family."""

    handle: str
    subject: str
    kind: str
    label: str
    data: bytes
    created: int
    seen: int
    network: str | None
    agent: str
    id: str = ""
    generation: int = 0
    rotated: int = 0
    names: dict[int, str] = field(default_factory=dict)  # the `jti` of each generation


@dataclass(frozen=True)
class Token:
    """One that was issued, and what it says."""

    text: str
    subject: str
    family: str
    name: str
    issued: int
    expires: int
    generation: int | None

    @classmethod
    def read(cls, text: str) -> Token:
        payload = text.split(".")[1]
        says = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return cls(text, says["sub"], says["family"], says["jti"], says["iat"], says["exp"], says.get("generation"))


class Store:
    """What the model knows of a store: since when it is whole, and when somebody last looked."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.since = self.alive = 0

    def look(self) -> None:
        if self.now - self.alive > SILENCE:
            self.since = self.alive = max(self.now, self.since + 1000) if self.since else self.now
        elif self.now - self.alive >= SECOND:
            self.alive = max(self.now, self.since)


class Model:
    """Sign-ins as docs/sessions.md has them. What is drawn at random, it is given."""

    def __init__(self, store: Store, config: dict[str, Any]) -> None:
        self.store = store
        self.config = config
        self.records: dict[str, list[SignIn]] = {}
        self.families_taken_back: set[str] = set()
        self.tokens_taken_back: set[str] = set()
        self.everywhere_since: dict[str, int] = {}

    # ---- sign-ins ----

    def deadlines(self, one: SignIn) -> tuple[int, int]:
        idle, absolute = ("idle_timeout_s", "absolute_timeout_s") if one.kind == "cookie" else ("family_idle_timeout_s", "family_lifetime_s")
        return one.seen + self.config[idle] * 1000, one.created + self.config[absolute] * 1000

    def death(self, one: SignIn) -> str:
        """Why it is over; empty if it is not."""
        if one.created < self.store.since:
            return "store"
        idle, absolute = self.deadlines(one)
        if self.store.now < min(idle, absolute):
            return ""
        return "idle" if idle <= absolute else "absolute"

    def live(self, subject: str) -> list[SignIn]:
        return [one for one in self.records.get(subject, []) if not self.death(one)]

    def all_live(self) -> list[SignIn]:
        return [one for subject in self.records for one in self.live(subject)]

    def tidy(self, subject: str) -> None:
        """Forget what is over, as a record does whenever it is written: a clock that goes back finds it no more."""
        self.records[subject] = self.live(subject)

    def view(self, one: SignIn, *, evicted: list[SignIn] | None = None, changes: tuple[str, ...] = (), current: bool = False) -> dict[str, Any]:
        return {
            "handle": one.handle,
            "subject": one.subject,
            "kind": one.kind,
            "label": one.label,
            "data": one.data,
            "created": one.created,
            "seen": one.seen,
            "expires": min(self.deadlines(one)),
            "network": one.network,
            "current": current,
            "evicted": [(gone.handle, gone.kind) for gone in evicted or []],
            "changes": changes,
        }

    def changes(self, one: SignIn, client: Client) -> tuple[str, ...]:
        is_there = one.network is None or (client.address and ip_address(client.address) in ip_network(one.network))
        is_it = not one.agent or one.agent == browser(client.user_agent)
        return ("address",) * (not is_there) + ("user_agent",) * (not is_it)

    def adopt(self, one: SignIn, client: Client) -> None:
        one.network, one.agent = network(client.address), browser(client.user_agent)

    def begin(self, subject: str, kind: str, client: Client, label: str, data: bytes, handle: str) -> tuple[SignIn, list[SignIn]]:
        live = self.live(subject)
        over = max(0, len(live) + 1 - self.config["max_per_user"])
        if over and self.config["at_limit"] == "refuse":
            raise Refused("SessionLimitReached", "session_limit")
        evicted, live = live[:over], live[over:]
        self.take_back_families(evicted)
        began = max(self.store.now, self.store.since)
        one = SignIn(handle, subject, kind, label, data, began, began, network(client.address), browser(client.user_agent))
        # In the order in which they began, by whatever clock; Python's sort keeps that of those that are alike.
        self.records[subject] = sorted([*live, one], key=lambda one: one.created)
        return one, evicted

    def log_in(self, subject: str, client: Client, label: str, data: bytes, previous: str | None, given: str) -> dict[str, Any]:
        if previous:
            self.log_out(previous)
        one, evicted = self.begin(subject, "cookie", client, label, data, handle_of(given))
        one.id = given
        return self.view(one, evicted=evicted)

    def of_id(self, id_: str) -> SignIn | None:
        return next((one for record in self.records.values() for one in record if one.id == id_), None)

    def alive(self, id_: str) -> SignIn:
        if not is_id(id_):
            raise Refused("InvalidSession", "invalid_session", "malformed")
        one = self.of_id(id_)
        if one is None:
            raise Refused("InvalidSession", "invalid_session", "unknown")
        why = self.death(one)
        if why:
            self.tidy(one.subject)
            raise Refused("InvalidSession", "invalid_session", why) if why == "store" else Refused("SessionExpired", "expired", why)
        return one

    def check(self, id_: str, client: Client) -> dict[str, Any]:
        one = self.alive(id_)
        changes = self.changes(one, client)
        on_change = {what: self.config[what]["on_change"] for what in changes}
        for what in changes:
            if on_change[what] == "invalidate":
                self.records[one.subject].remove(one)
                self.tidy(one.subject)
                raise Refused("InvalidSession", "invalid_session", what)
        for what in changes:
            if on_change[what] == "step_up":
                raise Refused("StepUpRequired", "step_up_required", what, self.view(one, changes=changes))
        if self.store.now - one.seen >= self.config["touch_interval_s"] * 1000:
            one.seen = self.store.now
            self.tidy(one.subject)
        return self.view(one, changes=changes)

    def rotate(self, id_: str, client: Client, data: bytes | None, given: str) -> dict[str, Any]:
        one = self.alive(id_)
        one.id, one.handle = given, handle_of(given)
        one.seen = max(one.seen, self.store.now)
        one.data = data or one.data
        self.adopt(one, client)
        self.tidy(one.subject)
        return self.view(one)

    def log_out(self, id_: str) -> None:
        one = self.of_id(id_)
        if one is not None and not self.death(one):
            self.records[one.subject].remove(one)
            self.tidy(one.subject)

    def list(self, subject: str, current: str) -> list[dict[str, Any]]:
        return [self.view(one, current=bool(current) and current in (one.handle, one.id)) for one in self.live(subject)]

    def named(self, subject: str, name: str) -> SignIn:
        for one in self.live(subject):
            if name in (one.handle, one.id):
                return one
        raise Refused("InvalidSession", "invalid_session", "unknown")

    def revoke(self, subject: str, name: str) -> list[dict[str, Any]]:
        return self.end(subject, [self.named(subject, name)])

    def revoke_others(self, subject: str, keep: str) -> list[dict[str, Any]]:
        kept = self.named(subject, keep)
        return self.end(subject, [one for one in self.live(subject) if one is not kept])

    def everywhere(self, subject: str) -> list[dict[str, Any]]:
        last = self.everywhere_since.get(subject, -1)
        self.everywhere_since[subject] = max(self.store.now // 1000, last + 1, self.store.since // 1000 + 1)
        ended = self.end(subject, self.live(subject))
        self.records[subject] = []
        return ended

    def end(self, subject: str, ended: list[SignIn]) -> list[dict[str, Any]]:
        self.take_back_families(ended)
        if ended:
            self.records[subject] = [one for one in self.live(subject) if one not in ended]
        return [self.view(one) for one in ended]

    # ---- tokens ----

    def take_back_families(self, ended: list[SignIn]) -> None:
        self.families_taken_back |= {one.handle for one in ended if one.kind == "tokens"}

    def stamp(self, subject: str) -> int:
        """A token is stamped late enough to outlive what was taken back before it."""
        began = max(self.store.since // 1000, self.everywhere_since.get(subject, 0))
        return max(self.store.now // 1000, began + SKEW_S + 1)

    def verify(self, token: Token) -> None:
        """What a verifier says without any store."""
        now = self.store.now // 1000
        if now >= token.expires:
            raise Refused("ExpiredToken", "expired")
        if token.issued > now + EARLY_S:
            raise Refused("NotYetValid", "not_yet_valid")

    def not_taken_back(self, token: Token) -> None:
        is_from_before = token.issued <= max(self.everywhere_since.get(token.subject, -9), self.store.since // 1000) + SKEW_S
        if is_from_before or token.family in self.families_taken_back or token.name in self.tokens_taken_back:
            raise Refused("TokenRevoked", "revoked")

    def pair(self, one: SignIn, given: TokenPair | None, **view: Any) -> dict[str, Any]:
        # The `jti` of a refresh token is whatever it was when its generation was first given out.
        if given is not None:
            one.names.setdefault(one.generation, Token.read(given.refresh_token).name)
        issued = self.stamp(one.subject)
        both = {"subject": one.subject, "family": one.handle, "issued": issued}
        return {
            "session": self.view(one, **view),
            "access": both | {"expires": issued + ACCESS_S, "generation": None},
            "refresh": both | {"expires": issued + REFRESH_S, "generation": one.generation, "name": one.names.get(one.generation)},
        }

    def begin_tokens(self, subject: str, client: Client, label: str, data: bytes, given: TokenPair | None) -> dict[str, Any]:
        family = "" if given is None else Token.read(given.refresh_token).family
        one, evicted = self.begin(subject, "tokens", client, label, data, family)
        one.rotated = self.store.now
        return self.pair(one, given, evicted=evicted)

    def refresh(self, token: Token, client: Client, given: TokenPair | None) -> dict[str, Any]:
        self.verify(token)
        one = next((one for one in self.records.get(token.subject, []) if one.handle == token.family), None)
        if one is None:
            if token.issued > self.store.since // 1000:
                raise Refused("TokenRevoked", "revoked")
            raise Refused("StateStale", "state_stale")
        if why := self.death(one):
            raise Refused("StateStale", "state_stale") if why == "store" else Refused("ExpiredToken", "expired")
        is_live = token.generation == one.generation
        is_repeated = token.generation == one.generation - 1 and self.store.now - one.rotated <= self.config["refresh_grace_ms"]
        if not is_live and not is_repeated:
            self.end(one.subject, [one])
            raise Refused("ReuseDetected", "reuse_detected")
        self.not_taken_back(token)
        changes = self.changes(one, client)
        if is_live:
            one.generation += 1
            one.rotated = self.store.now
            one.seen = max(one.seen, self.store.now)
            self.adopt(one, client)
            self.tidy(one.subject)
        return self.pair(one, given, changes=changes)

    def check_access(self, token: Token) -> None:
        self.verify(token)
        self.not_taken_back(token)

    def revoke_token(self, token: Token) -> None:
        """Of a refresh token others follow: with it goes its family."""
        self.verify(token)
        if token.generation is None:
            self.tokens_taken_back.add(token.name)
        else:
            self.families_taken_back.add(token.family)


def network(address: str) -> str | None:
    if not address:
        return None
    return str(ip_network((address, 24 if ip_address(address).version == 4 else 48), strict=False))


def browser(user_agent: str) -> str:
    return "".join(letter for letter in user_agent if letter not in "0123456789._")


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def is_id(text: str) -> bool:
    return len(text) == 64 and all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in text)


def handle_of(id_: str) -> str:
    return encoded(hashlib.sha256(urlsafe_b64decode(id_)).digest()[:16])


# ---- what donjon says, in the model's words ----


def told(session: Session) -> dict[str, Any]:
    return {
        "handle": session.handle,
        "subject": session.subject,
        "kind": session.kind,
        "label": session.label,
        "data": session.data,
        "created": session.created_ms,
        "seen": session.seen_ms,
        "expires": session.expires_ms,
        "network": session.network,
        "current": session.current,
        "evicted": [(gone.handle, gone.kind) for gone in session.evicted],
        "changes": tuple(session.changes),
    }


def told_pair(pair: TokenPair) -> dict[str, Any]:
    def says(text: str, *but: str) -> dict[str, Any]:
        return {name: value for name, value in asdict(Token.read(text)).items() if name not in ("text", *but)}

    return {"session": told(pair.session), "access": says(pair.access_token, "name"), "refresh": says(pair.refresh_token)}


def told_refusal(error: DonjonError) -> dict[str, Any]:
    session = getattr(error, "session", None)
    return {"refused": type(error).__name__, "reason": error.reason, "why": getattr(error, "why", ""), "session": session and told(session)}


class Life:
    """Some users under one configuration, and what is done to them."""

    def __init__(self, number: int, store: RecordStore, known: Store, draw: random.Random, seen: Counter[str]) -> None:
        self.draw, self.known, self.seen = draw, known, seen
        self.config = {
            "max_per_user": 3,
            "at_limit": draw.choice(["evict_oldest", "evict_oldest", "refuse"]),
            "idle_timeout_s": draw.choice([7200, 7200, 25_000]),
            "absolute_timeout_s": 8 * 3600,
            "touch_interval_s": 60,
            "refresh_grace_ms": draw.choice([10_000, 10_000, 0]),
            "family_lifetime_s": draw.choice([86_400, 40_000]),
            "family_idle_timeout_s": draw.choice([30_000, 86_400, 20_000]),
            "address": {"on_change": draw.choice(["invalidate", "invalidate", "step_up", "report"])},
            "user_agent": {"on_change": draw.choice(["report", "report", "step_up", "invalidate"])},
            "sealed": draw.random() < 0.25,
        }
        self.config["family_idle_timeout_s"] = min(self.config["family_idle_timeout_s"], self.config["family_lifetime_s"])
        self.managers = [SessionManager(KEYRING, store, config=self.config) for _ in range(2)]
        for manager in self.managers:
            # A silence is made sure of by a wait; here nobody else is awake.
            manager._store._sleep = lambda _: None
        self.issuer = TokenIssuer(KEYRING, issuer=None, audience=None, access_ttl=ACCESS_S, refresh_ttl=REFRESH_S)
        self.verifiers = {
            type_: TokenVerifier(KEYRING, issuer=None, audience=None, type=type_, algorithms=["EdDSA"]) for type_ in ("at+jwt", "rt+jwt")
        }
        self.model = Model(known, self.config)
        self.subjects = [f"{name}/{number}" for name in USERS]
        self.ids: dict[str, deque[str]] = {subject: deque(maxlen=12) for subject in self.subjects}
        self.access: dict[str, deque[Token]] = {subject: deque(maxlen=12) for subject in self.subjects}
        self.refreshes: dict[str, deque[Token]] = {subject: deque(maxlen=12) for subject in self.subjects}
        self.last: deque[str] = deque(maxlen=15)
        self.ways: list[tuple[Callable[[str], None], int]] = [
            (self.log_in, 14), (self.check, 30), (self.rotate, 8), (self.log_out, 4), (self.list, 2), (self.revoke, 4), (self.revoke_others, 3),
            (self.everywhere, 2), (self.begin_tokens, 9), (self.refresh, 22), (self.check_access, 14), (self.revoke_token, 4),
        ]  # fmt: skip

    def step(self) -> None:
        if self.draw.random() < 0.5:
            self.wait()
        self.known.look()
        subject = self.draw.choice(self.subjects)
        [way] = self.draw.choices([way for way, _ in self.ways], [weight for _, weight in self.ways])
        way(subject)
        # Before the list, which has a cache read anew.
        for look in (self.check, self.check_access):
            if self.draw.random() < 0.5:
                look(subject)
        names = [one.handle for one in self.model.live(subject)] + [*self.ids[subject], ""]
        self.list_of(subject, self.draw.choice(names))

    def wait(self) -> None:
        longest = self.draw.choice([50, 50, 1500, 1500, 15 * SECOND, 2 * MINUTE, 20 * MINUTE, HOUR, 4 * HOUR])
        by = self.draw.randint(0, longest)
        what = self.draw.random()
        if what < 0.05:
            by = -self.draw.randint(1, 5 * SECOND)
        elif what < 0.055:
            by = SILENCE + self.draw.randint(0, 2000)
        elif what < 0.3:
            # Mostly the next: beyond it there is less left to see.
            moments = self.moments()
            moment = moments[min(len(moments) - 1, int(self.draw.expovariate(0.6)))]
            by = max(0, moment - self.known.now + self.draw.choice([-1, 0, 1]))
        self.known.now += by
        self.last.append(f"the clock goes {by} ms")

    def moments(self) -> list[int]:
        """When something ends that is not over yet, and which a store outlives."""
        moments = [self.known.now]
        for one in self.model.all_live():
            moments += [*self.model.deadlines(one), one.seen + self.config["touch_interval_s"] * 1000]
            moments += [one.rotated + self.config["refresh_grace_ms"]] * (one.kind == "tokens")
        return sorted({moment for moment in moments if self.known.now <= moment < self.known.now + SILENCE - 2})

    # ---- what is compared ----

    def compare(self, what: str, does: Callable[[], Any], expects: Callable[[Any], Any], tells: Callable[[Any], Any] = lambda answer: answer) -> Any:
        """Do it, and return what came of it. The model is given that, for what nobody can foresee."""
        self.last.append(f"at {self.known.now} {what}")
        answer: Any = None
        try:
            answer = does()
            found = tells(answer)
        except DonjonError as error:
            found = told_refusal(error)
        try:
            expected = expects(answer)
        except Refused as refused:
            expected = refused.outcome
        if found != expected:
            raise Failed(self.report(what, found, expected))
        name = what.split("(")[0]
        refused = isinstance(found, dict) and found.get("refused")
        self.seen[f"{name}: {found['refused']} {found['why']}".strip() if refused else name] += 1
        return answer

    def report(self, what: str, found: Any, expected: Any) -> str:
        before = "\n    ".join(self.last)
        return f"{what} came to\n  {found}\nand the model has\n  {expected}\nwith {self.config}, the store whole since {self.known.since}, after\n    {before}"

    def list_of(self, subject: str, current: str) -> None:
        self.compare(
            f"list({subject!r}, {current!r})",
            lambda: self.manager.list(subject, current),
            lambda _: self.model.list(subject, current),
            lambda sessions: [told(one) for one in sessions],
        )

    @property
    def manager(self) -> SessionManager:
        return self.draw.choice(self.managers)

    # ---- what it is done with ----

    def client(self) -> Client:
        return Client(self.draw.choice(ADDRESSES), self.draw.choice(AGENTS))

    def client_of(self, one: SignIn | None) -> Client:
        """Mostly the one that it has been."""
        if one is None or self.draw.random() < 0.25:
            return self.client()
        address = next((address for address in ADDRESSES if network(address) == one.network), "")
        return Client(address, next((agent for agent in AGENTS if browser(agent) == one.agent), ""))

    def id_of(self, subject: str) -> str:
        live = [one.id for one in self.model.live(subject) if one.id]
        what = self.draw.random()
        if live and what < 0.65:
            return self.draw.choice(live)
        if self.ids[subject] and what < 0.9:
            return self.draw.choice(self.ids[subject])
        made_up = encoded(secrets.token_bytes(48))
        of_somebody = self.draw.choice(self.ids[subject])[:21] + made_up[21:] if self.ids[subject] else made_up
        return self.draw.choice([made_up, of_somebody, made_up[:63], made_up + "A", made_up[:-1] + "=", "nobody's", of_somebody])

    def name_of(self, subject: str) -> str:
        """A handle, or an id; now and then another's, or one that is over."""
        live = [name for one in self.model.live(subject) for name in (one.handle, one.handle, one.id) if name]
        if live and self.draw.random() < 0.75:
            return self.draw.choice(live)
        others = [one.handle for one in self.model.all_live()]
        return self.draw.choice([*others, self.id_of(subject), encoded(secrets.token_bytes(16)), "no handle"])

    def token_of(self, tokens: deque[Token]) -> Token | None:
        """Mostly one of the last."""
        if not tokens:
            return None
        return tokens[-min(len(tokens), 1 + int(self.draw.expovariate(0.7)))]

    def said(self) -> tuple[Client, str, bytes]:
        return self.client(), self.draw.choice(["", "phone", "Ann’s laptop"]), self.draw.randbytes(self.draw.choice([0, 0, 5, 512]))

    # ---- what is done ----

    def log_in(self, subject: str) -> None:
        client, label, data = self.said()
        previous = self.id_of(self.draw.choice([subject, subject, self.draw.choice(self.subjects)])) if self.draw.random() < 0.3 else None
        manager = self.manager
        begun = self.compare(
            f"log_in({subject!r}, {client}, {label!r}, previous={previous!r})",
            lambda: manager.log_in(subject, label=label, data=data, previous=previous, **client._asdict()),
            lambda begun: self.model.log_in(subject, client, label, data, previous, begun.id if begun else encoded(bytes(48))),
            lambda begun: told(begun.session),
        )
        if begun:
            self.ids[subject].append(begun.id)

    def check(self, subject: str) -> None:
        id_ = self.id_of(subject)
        client, manager = self.client_of(self.model.of_id(id_)), self.manager
        self.compare(f"check({id_!r}, {client})", lambda: manager.check(id_, **client._asdict()), lambda _: self.model.check(id_, client), told)

    def rotate(self, subject: str) -> None:
        id_, client, manager = self.id_of(subject), self.client(), self.manager
        data = self.draw.choice([None, b"", b"rotated"])
        begun = self.compare(
            f"rotate({id_!r}, {client}, {data!r})",
            lambda: manager.rotate(id_, data=data, **client._asdict()),
            lambda begun: self.model.rotate(id_, client, data, begun.id if begun else encoded(bytes(48))),
            lambda begun: told(begun.session),
        )
        if begun:
            self.ids[subject].append(begun.id)

    def log_out(self, subject: str) -> None:
        id_, manager = self.id_of(subject), self.manager
        self.compare(f"log_out({id_!r})", lambda: manager.log_out(id_), lambda _: self.model.log_out(id_))

    def list(self, subject: str) -> None:
        self.list_of(subject, self.name_of(subject))

    def revoke(self, subject: str) -> None:
        name, manager = self.name_of(subject), self.manager
        self.compare(f"revoke({subject!r}, {name!r})", lambda: manager.revoke(subject, name), lambda _: self.model.revoke(subject, name), tell_all)

    def revoke_others(self, subject: str) -> None:
        name, manager = self.name_of(subject), self.manager
        self.compare(
            f"revoke_others({subject!r}, {name!r})",
            lambda: manager.revoke_others(subject, name),
            lambda _: self.model.revoke_others(subject, name),
            tell_all,
        )

    def everywhere(self, subject: str) -> None:
        manager = self.manager
        self.compare(
            f"log_out_everywhere({subject!r})", lambda: manager.log_out_everywhere(subject), lambda _: self.model.everywhere(subject), tell_all
        )

    def keep(self, subject: str, pair: TokenPair | None) -> None:
        if pair is not None:
            self.access[subject].append(Token.read(pair.access_token))
            self.refreshes[subject].append(Token.read(pair.refresh_token))

    def begin_tokens(self, subject: str) -> None:
        (client, label, data), manager = self.said(), self.manager
        pair = self.compare(
            f"begin_tokens({subject!r}, {client}, {label!r})",
            lambda: manager.begin_tokens(self.issuer, subject, label=label, data=data, **client._asdict()),
            lambda pair: self.model.begin_tokens(subject, client, label, data, pair),
            told_pair,
        )
        self.keep(subject, pair)

    def verified(self, token: Token) -> Any:
        return self.verifiers["at+jwt" if token.generation is None else "rt+jwt"].verify(token.text, now=self.known.now // 1000)

    def refresh(self, subject: str) -> None:
        if (token := self.token_of(self.refreshes[subject])) is None:
            return
        client, manager = self.client(), self.manager
        pair = self.compare(
            f"refresh_tokens({token.family!r}, {token.generation}, {client})",
            lambda: manager.refresh_tokens(self.issuer, self.verified(token), **client._asdict()),
            lambda pair: self.model.refresh(token, client, pair),
            told_pair,
        )
        self.keep(subject, pair)

    def check_access(self, subject: str) -> None:
        good = deque(token for token in self.access[subject] if self.known.now < token.expires * 1000)
        if (token := self.token_of(good if self.draw.random() < 0.8 else self.access[subject])) is not None:
            manager = self.manager
            self.compare(
                f"revocations.check({token.name!r}, {token.family!r})",
                lambda: manager.revocations.check(self.verified(token)),
                lambda _: self.model.check_access(token),
            )

    def revoke_token(self, subject: str) -> None:
        tokens = self.draw.choice([self.access, self.access, self.refreshes])[subject]
        if (token := self.token_of(tokens)) is not None:
            manager = self.manager
            self.compare(
                f"revocations.revoke({token.name!r}, {token.family!r})",
                lambda: manager.revocations.revoke(self.verified(token)),
                lambda _: self.model.revoke_token(token),
            )


def tell_all(sessions: list[Session]) -> list[dict[str, Any]]:
    return [told(one) for one in sessions]


# ---- the stores ----


@contextmanager
def store_of(kind: str) -> Iterator[RecordStore]:
    """An empty store."""
    if kind == "memory":
        yield MemoryRecords()
    elif kind == "cached":
        # For as long as this runs: what is written has to be noticed at once all the same.
        yield CachedRecords(MemoryRecords(), max_age=86_400)
    elif kind == "redis":
        with Server() as server, closing(redis.Redis(HOST, server.port, socket_timeout=30, retry=Retry(NoBackoff(), 0))) as client:
            yield RedisRecords(client)
    elif kind == "sqlite":
        with TemporaryDirectory(prefix="donjon-sqlite-") as folder, sql(f"sqlite:///{folder}/records.db") as store:
            yield store
    else:
        found = binaries()
        if found is None:
            raise Failed("there is no PostgreSQL here")
        with PostgreSQL(found) as postgresql, sql(postgresql.url("psycopg")) as store:
            yield store


@contextmanager
def sql(url: str) -> Iterator[SqlRecords]:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        # What would survive a loss of power is not asked here.
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    try:
        store = SqlRecords(engine)
        store.create_table()
        yield store
    finally:
        engine.dispose()


def run(kind: str, steps: int, seed: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    draw, known = random.Random(f"{seed}/{kind}"), Store()
    before = _clock.now_ms
    _clock.now_ms = lambda: known.now
    try:
        with store_of(kind) as store:
            began = time.monotonic()
            for step in range(steps):
                if step % STEPS_OF_A_LIFE == 0:
                    life = Life(step // STEPS_OF_A_LIFE, store, known, draw, seen)
                try:
                    life.step()
                except Failed as failure:
                    raise Failed(f"{kind}, step {step} of seed {seed}: {failure}") from None
            took = time.monotonic() - began
    finally:
        _clock.now_ms = before
    refused = sum(count for what, count in seen.items() if ": " in what)
    hours = (known.now - BEGAN) / HOUR
    print(f"  {kind}: {steps} steps over {hours / 24:.0f} days in {took:.1f} s, {sum(seen.values())} outcomes as the model has them, {refused} refusals", flush=True)
    return seen


# What has to come about, somewhere, for this to have shown anything.
NEEDED = (
    "log_in", "log_in: SessionLimitReached", "check", "check: InvalidSession unknown", "check: InvalidSession malformed", "check: InvalidSession address",
    "check: InvalidSession store", "check: SessionExpired idle", "check: SessionExpired absolute", "check: StepUpRequired address", "rotate",
    "rotate: InvalidSession unknown", "revoke", "revoke: InvalidSession unknown", "revoke_others", "log_out", "log_out_everywhere", "begin_tokens",
    "refresh_tokens", "refresh_tokens: ReuseDetected", "refresh_tokens: TokenRevoked",
    "refresh_tokens: ExpiredToken", "refresh_tokens: StateStale", "revocations.check", "revocations.check: TokenRevoked",
    "revocations.check: ExpiredToken", "revocations.revoke",
)  # fmt: skip
STEPS_FOR_ALL = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000, help="per store")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    options = parser.parse_args()
    stores = options.store or STORES
    within(int(MOST_S_PER_STEP * options.steps * len(stores)) + MOST_S_BESIDES)
    # That a store begins anew is what is wanted here.
    logging.getLogger("donjon").setLevel(logging.ERROR)
    seen: Counter[str] = Counter()
    for kind in stores:
        seen += run(kind, options.steps, options.seed)
    missing = [what for what in NEEDED if not seen[what]]
    if missing and options.steps * len(stores) >= STEPS_FOR_ALL:
        raise Failed(f"it never came to {', '.join(missing)}: this has shown less than it should")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"session_model: {failure}")
