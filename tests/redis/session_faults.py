#!/usr/bin/env python3
"""A Redis that is flushed, killed, set back, hung and failed over under load: nobody is let in who should not be.

    tests/redis/session_faults.py [--rounds 1] [--processes 4]

Processes log in, check, refresh and revoke all the while, and write down what they saw, as in session_races.py; each
remembers its sessions and tokens and tries them again and again. Of every outcome the same must hold: what was ended
stays ended, whatever the server has forgotten; what the server has lost is lost for good; while it does not answer,
every request ends as `store_unavailable`; and when it is back, who logs in is let in.

- flushed: all that was before is refused.
- killed, and started again with nothing: likewise.
- killed, and started again with what it had saved before the last log-outs: noticed, and all that was before is refused.
- hung: nobody is let in meanwhile, and everybody is afterwards.
- failed over to a replica that had everything (`WAIT`): nobody notices.
- failed over to a replica that was behind: noticed, as one that was set back. A write that waits for replicas fails.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.synchronize import Event as Flag
from typing import Any

import redis
from donjon import StoreUnavailable
from donjon.redis import RedisRecords
from donjon.sessions import SessionManager
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import HOST, Server, within
from session_races import KEYRING, WHO, Client, Event, Failed, judge

MOST_S = 1_200
QUIET_S = 2.5
ANSWER_S = 1
# The marker of the store moves once a second: what is to be noticed has to be older.
MARKED_S = 2.5


class Persistent(Client):
    """A client that goes on whatever the store does, and forgets nothing of what it was given."""

    def __init__(self, number: int, port: int, seed: int, calm: Flag) -> None:
        super().__init__(number, port, seed)
        self.number, self.calm, self.last = number, calm, dict[str, float]()
        self.kept: dict[tuple[str, str], list[str]] = {}

    def everywhere(self, subject: str) -> None:
        # In the second in which a store begins anew, or twice in one, it stamps the next token further ahead than that
        # beginning reaches: docs/sessions.md has it.
        now = time.monotonic()
        if not self.calm.is_set() and self.number == 0 and now - self.last.get(subject, 0) > MARKED_S:
            self.last[subject] = now
            super().everywhere(subject)

    def keep(self, kind: str, subject: str, what: str) -> None:
        self.kept.setdefault((kind, subject), []).append(what)

    def one_of(self, kind: str, subject: str) -> str:
        kept = self.kept.get((kind, subject))
        if not kept:
            return ""
        # The last ones as often as all others.
        return self.random.choice(kept[-6:] if self.random.random() < 0.5 else kept)

    def work_until(self, stop: Flag) -> list[Event]:
        while not stop.is_set():
            started = time.monotonic_ns()
            try:
                self.work(1)
            except StoreUnavailable:
                self.note("refused", "", started)
                time.sleep(0.005)
        return self.events


class Movable(RedisRecords):
    """A store whose server is whichever one it is by now, as behind a sentinel or an address that moves."""

    def __init__(self, port: Any) -> None:
        self._port, self._now_at = port, 0
        self._move()

    def _move(self) -> None:
        if self._now_at != self._port.value:
            self._now_at = self._port.value
            super().__init__(redis.Redis(HOST, self._now_at, socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)))

    def get_many(self, keys: Any, /) -> Any:
        self._move()
        return super().get_many(keys)

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int, /) -> bool:
        self._move()
        return super().replace(key, before, after, keep_ms)


def worker(number: int, port: Any, seed: int, calm: Flag, stop: Flag, queue: Any) -> None:
    logging.getLogger("donjon").setLevel(logging.CRITICAL)  # that the store fails is what this is about
    client = Persistent(number, port.value, seed, calm)
    client.manager = SessionManager(KEYRING, Movable(port), config=client.config)
    queue.put("ready")
    try:
        queue.put(client.work_until(stop))
    except Exception as error:  # noqa: BLE001  that there is none is what is tested
        queue.put(repr(error))


def under_load(server: Server, processes: int, seed: int, fault: Callable[[Server, Any, Callable[[str, int], None]], None]) -> list[Event]:
    """What the processes saw while something was done to the server, and when it was done."""
    context = multiprocessing.get_context("spawn")
    calm, stop, queue, port = context.Event(), context.Event(), context.Queue(), context.Value("i", server.port)
    workers = [context.Process(target=worker, args=(number, port, seed, calm, stop, queue), daemon=True) for number in range(processes)]
    for one in workers:
        one.start()
    for _ in workers:
        if (said := queue.get(timeout=120)) != "ready":
            raise Failed(str(said))
    time.sleep(MARKED_S)
    calm.set()
    time.sleep(MARKED_S)
    done: list[Event] = []
    fault(server, port, lambda what, started: done.append(Event(what, "", started=started, ended=time.monotonic_ns())))
    time.sleep(MARKED_S)
    stop.set()
    for _ in workers:
        said = queue.get(timeout=120)
        if isinstance(said, str):
            raise Failed(f"a request ended as {said}")
        done += said
    for one in workers:
        one.join(60)
    return done


# ---- what is done to the server ----


def flushed(server: Server, _: Any, note: Callable[[str, int], None]) -> None:
    started = time.monotonic_ns()
    with server.client() as client:
        client.flushall()
    note("lost", started)


def killed(server: Server, _: Any, note: Callable[[str, int], None]) -> None:
    started = time.monotonic_ns()
    server.kill()
    note("gone", started)
    time.sleep(QUIET_S)
    note("back", time.monotonic_ns())
    server.start()
    note("lost", started)


def set_back(server: Server, _: Any, note: Callable[[str, int], None]) -> None:
    with server.client() as client:
        client.save()
    saved = time.monotonic_ns()
    time.sleep(MARKED_S)
    server.kill()
    time.sleep(QUIET_S)
    server.start()
    note("lost", saved)


def hung(server: Server, _: Any, note: Callable[[str, int], None]) -> None:
    started = time.monotonic_ns()
    server.pause()
    note("gone", started)
    time.sleep(QUIET_S)
    note("back", time.monotonic_ns())
    server.resume()


def failed_over(server: Server, port: Any, note: Callable[[str, int], None], *, behind: bool) -> None:
    with Server() as replica, replica.client() as commands:
        commands.replicaof(HOST, str(server.port))
        while commands.info("replication").get("master_link_status") != "up":
            time.sleep(0.01)
        waiting = SessionManager(KEYRING, RedisRecords(server.client(), wait_replicas=1, wait_timeout=ANSWER_S))
        kept = waiting.log_in("waits", **WHO)
        started = time.monotonic_ns()
        if behind:
            replica.pause()
            time.sleep(MARKED_S)
            try:
                waiting.log_out(kept.id)
            except StoreUnavailable:
                pass
            else:
                raise Failed("a write that no replica has seen was acknowledged")
        else:
            # All writes end here, and the replica has them.
            server.pause_writes()
            while commands.info("replication")["master_repl_offset"] < server.offset():
                time.sleep(0.01)
        server.kill()
        if behind:
            replica.resume()
        commands.replicaof("NO", "ONE")
        port.value = replica.port
        if behind:
            note("lost", started)
        else:
            waiting = SessionManager(KEYRING, RedisRecords(replica.client()))
            if waiting.check(kept.id, **WHO).subject != "waits":
                raise Failed("what was acknowledged is lost")
            note("kept", started)
        time.sleep(MARKED_S)
        note("moved", time.monotonic_ns())


FAULTS: dict[str, Callable[[Server, Any, Callable[[str, int], None]], None]] = {
    "flushed": flushed,
    "killed": killed,
    "set back": set_back,
    "hung": hung,
    "failed over to a replica that had everything": lambda *all: failed_over(*all, behind=False),
    "failed over to a replica that was behind": lambda *all: failed_over(*all, behind=True),
}


# ---- what must hold ----


def hold(name: str, events: list[Event]) -> Counter[str]:
    seen = judge([event for event in events if event.what not in ("lost", "gone", "back", "kept", "moved", "refused")])
    done = {event.what: event for event in events if event.what in ("lost", "gone", "back", "kept", "moved")}
    begun = {event.name: event for event in events if event.what == "begun"}
    good = [event for event in events if event.what == "good"]
    if lost := done.get("lost"):
        for event in good:
            one = begun.get(event.name)
            if one is not None and one.ended < lost.started and event.started > lost.ended:
                raise Failed(f"{name}: {one} was accepted by {event} after {lost}")
        if not any(begun.get(event.name, event).started > lost.ended for event in good if event.name in begun):
            raise Failed(f"{name}: nobody who logged in afterwards was let in")
    if (gone := done.get("gone")) and (back := done.get("back")):
        for event in good:
            if gone.ended + ANSWER_S * 1e9 < event.started and event.ended < back.started:
                raise Failed(f"{name}: {event}, while there was no server")
        if not any(event.what == "refused" and gone.ended < event.started < back.started for event in events):
            raise Failed(f"{name}: nobody asked meanwhile")
    after = done.get("lost") or done.get("back") or done["kept"]
    if not any(event.started > after.ended for event in good):
        raise Failed(f"{name}: nobody was let in afterwards")
    kept = done.get("kept")
    if kept and not any(begun[event.name].ended < kept.started and event.started > kept.ended for event in good if event.name in begun):
        raise Failed(f"{name}: nobody who was logged in before was let in")
    seen["refused"] = sum(event.what == "refused" for event in events)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    within(MOST_S)
    for round_ in range(options.rounds):
        for name, fault in FAULTS.items():
            with Server() as server:
                seen = hold(name, under_load(server, options.processes, options.seed + round_, fault))
            print(f"  {name}: {seen['good']} accepted, {seen['refused']} without a store, {seen['ended'] + seen['taken back']} ended, and none of them again", flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"session_faults: {failure}")
