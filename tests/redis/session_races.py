#!/usr/bin/env python3
"""Processes that race log-ins, checks, refreshes and revocations in one Redis, and what must hold of all of it.

    tests/redis/session_races.py [--operations 2000] [--processes 8]

Every process writes down what it did, and when it began and had its answer, by a clock that all of them share. Put
together it must be that a user never had more than five sign-ins; that the one that was evicted was older than every one
that lived on; that nothing was accepted after what ended it had returned: a log-out, a revocation, an eviction, a
rotation, a replay, "log out everywhere"; and that one refresh token had one successor, and none after the grace.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import redis
from donjon import (
    InvalidSession,
    Keyring,
    SessionError,
    TokenError,
    TokenIssuer,
    TokenVerifier,
)
from donjon.redis import RedisRecords
from donjon.sessions import SessionManager
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import HOST, Server, within

MASTER = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"
PURPOSES = ("token", "state-binding", "device", "csrf")
USERS = 12
MOST_SIGN_INS = 5
GRACE_MS = 200
KEYRING = Keyring.from_master(MASTER, keys=[{"purpose": purpose, "epoch": 1} for purpose in PURPOSES])
WHO = {"address": "192.0.2.7", "user_agent": "Browser/1.0"}
# What each user's clients share: ids and tokens of all processes, the newest first.
KEPT = 12
MOST_S = 1_500


class Failed(Exception):
    """Something happened that must not."""


@dataclass(frozen=True)
class Event:
    """What one process did. Times are of the machine's monotonic clock, in ns."""

    what: str
    subject: str
    name: str = ""
    created_ms: int = 0
    evicted: tuple[str, ...] = ()
    token: str = ""
    started: int = 0
    ended: int = 0


class Client:
    """One process' share of the work."""

    def __init__(self, number: int, port: int, seed: int) -> None:
        self.connection = redis.Redis(HOST, port, socket_timeout=30, retry=Retry(NoBackoff(), 0))
        self.config = {"max_per_user": MOST_SIGN_INS, "refresh_grace_ms": GRACE_MS}
        self.manager = SessionManager(KEYRING, RedisRecords(self.connection), config=self.config)
        self.issuer = TokenIssuer(KEYRING, issuer=None, audience=None)
        verifiers = {type_: TokenVerifier(KEYRING, issuer=None, audience=None, type=type_, algorithms=["EdDSA"]) for type_ in ("at+jwt", "rt+jwt")}
        self.access, self.refresh = verifiers["at+jwt"], verifiers["rt+jwt"]
        self.random = random.Random(f"{seed}/{number}")
        self.events: list[Event] = []

    def work(self, operations: int) -> list[Event]:
        ways: list[tuple[Callable[[str], None], int]] = [
            (self.log_in, 12), (self.check, 40), (self.begin_tokens, 10), (self.check_access, 20), (self.refresh_one, 25),
            (self.rotate, 5), (self.log_out, 4), (self.revoke, 3), (self.revoke_token, 3), (self.everywhere, 1), (self.count, 8),
        ]  # fmt: skip
        for way in self.random.choices([way for way, _ in ways], [weight for _, weight in ways], k=operations):
            way(f"user-{self.random.randrange(USERS)}")
        return self.events

    # ---- what clients share ----

    def keep(self, kind: str, subject: str, what: str) -> None:
        with self.connection.pipeline() as both:
            both.lpush(f"test:{kind}:{subject}", what).ltrim(f"test:{kind}:{subject}", 0, KEPT - 1).execute()

    def one_of(self, kind: str, subject: str) -> str:
        found = self.connection.lindex(f"test:{kind}:{subject}", self.random.randrange(KEPT))
        return found.decode() if isinstance(found, bytes) else ""

    def note(self, what: str, subject: str, started: int, name: str = "", **more: object) -> None:
        self.events.append(Event(what, subject, name, started=started, ended=time.monotonic_ns(), **more))  # type: ignore[arg-type]

    # ---- what they do ----

    def log_in(self, subject: str) -> None:
        started = time.monotonic_ns()
        begun = self.manager.log_in(subject, **WHO)
        self.note("begun", subject, started, begun.session.handle, created_ms=begun.session.created_ms, evicted=tuple(one.handle for one in begun.session.evicted))
        self.keep("id", subject, begun.id)

    def check(self, subject: str) -> None:
        if id_ := self.one_of("id", subject):
            started = time.monotonic_ns()
            with suppress(SessionError):
                self.note("good", subject, started, self.manager.check(id_, **WHO).handle)

    def rotate(self, subject: str) -> None:
        if id_ := self.one_of("id", subject):
            started = time.monotonic_ns()
            with suppress(SessionError):
                before = self.manager.check(id_, **WHO)
                begun = self.manager.rotate(id_, **WHO)
                self.note("ended", subject, started, before.handle)
                self.note("begun", subject, started, begun.session.handle, created_ms=begun.session.created_ms)
                self.keep("id", subject, begun.id)

    def log_out(self, subject: str) -> None:
        if id_ := self.one_of("id", subject):
            started = time.monotonic_ns()
            with suppress(SessionError):
                before = self.manager.check(id_, **WHO)
                self.manager.log_out(id_)
                self.note("ended", subject, started, before.handle)

    def revoke(self, subject: str) -> None:
        started = time.monotonic_ns()
        if signed_in := self.manager.list(subject):
            name = self.random.choice(signed_in).handle
            with suppress(InvalidSession):
                self.manager.revoke(subject, name)
            self.note("ended", subject, started, name)

    def everywhere(self, subject: str) -> None:
        started = time.monotonic_ns()
        self.manager.log_out_everywhere(subject)
        self.note("everywhere", subject, started)

    def count(self, subject: str) -> None:
        started = time.monotonic_ns()
        signed_in = self.manager.list(subject)
        if len(signed_in) > MOST_SIGN_INS:
            raise Failed(f"{subject} has {len(signed_in)} sign-ins")
        for one in signed_in:
            self.note("good", subject, started, one.handle)

    def begin_tokens(self, subject: str) -> None:
        started = time.monotonic_ns()
        pair = self.manager.begin_tokens(self.issuer, subject, **WHO)
        session = pair.session
        self.note("begun", subject, started, session.handle, created_ms=session.created_ms, evicted=tuple(one.handle for one in session.evicted))
        self.keep_pair(subject, pair.access_token, pair.refresh_token)

    def keep_pair(self, subject: str, access: str, refresh: str) -> None:
        self.keep("access", subject, access)
        self.keep("refresh", subject, refresh)

    def check_access(self, subject: str) -> None:
        if token := self.one_of("access", subject):
            started = time.monotonic_ns()
            with suppress(TokenError):
                claims = self.access.verify(token)
                self.manager.revocations.check(claims)
                self.note("good", subject, started, claims.family or "", token=claims.token_id or "")

    def revoke_token(self, subject: str) -> None:
        if token := self.one_of("access", subject):
            started = time.monotonic_ns()
            with suppress(TokenError):
                claims = self.access.verify(token)
                self.manager.revocations.revoke(claims)
                self.note("taken back", subject, started, token=claims.token_id or "")

    def refresh_one(self, subject: str) -> None:
        if not (token := self.one_of("refresh", subject)):
            return
        started = time.monotonic_ns()
        try:
            claims = self.refresh.verify(token)
            pair = self.manager.refresh_tokens(self.issuer, claims, **WHO)
        except TokenError as error:
            if error.reason == "reuse_detected":
                self.note("ended", subject, started, claims.family or "")
            return
        successor = self.refresh.verify(pair.refresh_token)
        self.note("good", subject, started, claims.family or "")
        self.note("refreshed", subject, started, claims.token_id or "", token=successor.token_id or "")
        self.keep_pair(subject, pair.access_token, pair.refresh_token)


def worker(number: int, port: int, operations: int, seed: int) -> list[Event]:
    return Client(number, port, seed).work(operations)


# ---- what must hold ----


def judge(events: list[Event]) -> Counter[str]:
    """Raise if anything happened that must not; else say how much was seen of what."""
    seen: Counter[str] = Counter(event.what for event in events)
    begun = {event.name: event for event in events if event.what == "begun"}
    ends = ends_of(events, begun)
    seen["evicted"] = sum(len(event.evicted) for event in events)
    for event in events:
        if event.what == "good":
            for name in filter(None, (event.name, event.token)):
                if name in ends and event.started > ends[name].ended:
                    raise Failed(f"{name} was accepted {(event.started - ends[name].ended) / 1e6:.3f} ms after it had ended by {ends[name]}: {event}")
                seen["accepted after nothing"] += name not in ends
    evicted_is_oldest(events, begun)
    one_successor(events)
    return seen


def by_subject(begun: dict[str, Event]) -> dict[str, list[Event]]:
    """The sign-ins of each user."""
    of_subject: dict[str, list[Event]] = defaultdict(list)
    for one in begun.values():
        of_subject[one.subject].append(one)
    return of_subject


def ends_of(events: list[Event], begun: dict[str, Event]) -> dict[str, Event]:
    """What first ended each sign-in and each token."""
    ends: dict[str, Event] = {}
    of_subject = by_subject(begun)
    for event in sorted(events, key=lambda event: event.ended):
        if event.what in ("ended", "taken back"):
            ends.setdefault(event.name or event.token, event)
        for name in event.evicted:
            ends.setdefault(name, event)
        if event.what == "everywhere":
            for one in of_subject[event.subject]:
                if one.ended < event.started:
                    ends.setdefault(one.name, event)
    return ends


def evicted_is_oldest(events: list[Event], begun: dict[str, Event]) -> None:
    last_good: dict[str, int] = defaultdict(int)
    for event in events:
        if event.what == "good":
            last_good[event.name] = max(last_good[event.name], event.started)
    of_subject = by_subject(begun)
    for event in events:
        for name in event.evicted:
            if name not in begun:
                continue
            for one in of_subject[event.subject]:
                # One that was there when it had to be decided who goes: who reads the clock, and is then overtaken by
                # others, comes into the record later than they do, with an earlier time.
                was_there = one.ended < event.started
                if was_there and one.created_ms < begun[name].created_ms and last_good[one.name] > event.ended:
                    raise Failed(f"{name} was evicted by {event}, and {one} is older and lives")


def one_successor(events: list[Event]) -> None:
    successors: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.what == "refreshed":
            successors[event.name].append(event)
    for used, of_one in successors.items():
        if len({event.token for event in of_one}) > 1:
            raise Failed(f"{used} has {len(of_one)} successors")
        first = min(event.ended for event in of_one)
        for event in of_one:
            if event.started > first + GRACE_MS * 1_000_000:
                raise Failed(f"{used} was good {(event.started - first) / 1e6:.0f} ms after it had been used")


def run(port: int, processes: int, operations: int, seed: int) -> None:
    each = operations // processes
    began = time.monotonic()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        shares: Iterator[list[Event]] = pool.map(worker, range(processes), [port] * processes, [each] * processes, [seed] * processes, timeout=MOST_S)
        events = list(chain.from_iterable(shares))
    took = time.monotonic() - began
    seen = judge(events)
    for what in ("begun", "good", "refreshed", "ended", "everywhere", "evicted", "taken back"):
        if not seen[what]:
            raise Failed(f"nothing was {what}: this has shown nothing")
    told = ", ".join(f"{seen[what]} {what}" for what in ("begun", "evicted", "good", "refreshed", "ended", "taken back", "everywhere"))
    print(f"  {each * processes} operations of {processes} processes in {took:.0f} s: {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=6)
    options = parser.parse_args()
    within(MOST_S)
    with Server() as server:
        run(server.port, options.processes, options.operations, options.seed)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"session_races: {failure}")
