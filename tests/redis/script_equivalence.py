#!/usr/bin/env python3
"""Holds the scripts that the kernel emits to the kernel's own arithmetic, in a redis-server.

    tests/redis/script_equivalence.py [--steps 4000] [--seed N]

Many keys take random steps, each with a specification, a time and a cost: bursts, costs that never fit, clocks that
step back, other specifications, damaged states, amounts of 2^32 - 1 and periods of 100 years. After every step
the script must have done what the kernel does with the state that was there: spent or not, the same bytes, the
same verdict. Every key that it writes has a time to live, which is the kernel's. A tenth of the steps are taken
in a cluster's node.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import redis
from donjon import Limits, Verdict
from donjon.limits import compare_and_set_script
from server import Server, within

NOW_MS = 1_700_000_000_000
MAX_NOW_MS = 2**47 - 1
BUCKETS = ("gcra", "token_bucket")
ALGORITHMS = (*BUCKETS, "fixed_window", "sliding_window", "sliding_log")
KINDS = {"gcra": b"\x11", "token_bucket": b"\x12", "fixed_window": b"\x13", "sliding_window": b"\x14", "sliding_log": b"\x15", "lockout": b"\x16"}
KEYS = 250
# What the test itself stores is to live for longer than the test.
FOREVER_MS = 10**12
SLACK_MS = 5_000
MOST_S = 900


class Failed(Exception):
    """The script and the kernel differ."""


def edges() -> list[Limits]:
    """What is hardest to count."""
    texts = ["4294967295/second", "4294967295/100 years", "1/100 years", "7/second", "1/second", "4294967294/7 seconds", "10000/second"]
    limits = [Limits(text, algorithm=algorithm) for text in texts for algorithm in ALGORITHMS[:-1]]  # type: ignore[arg-type]
    limits += [Limits(text, algorithm="sliding_log") for text in ("64/100 years", "1/second", "64/second")]
    limits += [Limits("1/second", burst=2**32 - 1), Limits("4294967295/second", burst=1), Limits("1/100 years", burst=22), Limits("3/7 seconds", burst=2**31)]
    limits += [Limits.lockout(), Limits.lockout(255, 1, 100, 3_110_400_000), Limits.lockout(1, 3_110_400_000, 1, 3_110_400_000), Limits.lockout(1, 1, 3, 1000)]
    return limits + [Limits(";".join(f"{amount}/{amount} seconds" for amount in range(1, 9)), algorithm=algorithm) for algorithm in ALGORITHMS]  # type: ignore[arg-type]


@dataclass
class Key:
    """A key, its specification, and what the kernel says is stored for it."""

    name: bytes
    limits: Limits
    now: int = NOW_MS
    state: bytes = b""
    args: list[str] = field(default_factory=list)


class Run:
    """Keys, and chance."""

    def __init__(self, client: redis.Redis[bytes], seed: int, *, together: bool) -> None:
        self.client, self.chance, self.together = client, random.Random(seed), together
        self.known, self.shas = edges(), dict[str, str]()
        self.keys = [Key(b"donjon:limit:{%d}" % number, self.limits()) for number in range(KEYS)]
        self.compare_and_set = self.load(compare_and_set_script())
        self.outcomes: Counter[str] = Counter()

    def load(self, script: str) -> str:
        if script not in self.shas:
            self.shas[script] = str(self.client.script_load(script))
        return self.shas[script]

    def limits(self) -> Limits:
        chance = self.chance
        if chance.random() < 0.3:
            return chance.choice(self.known)
        if chance.random() < 0.15:
            return Limits.lockout(chance.randint(1, 6), lock_s := chance.randint(1, 60), chance.choice([1, 2, 7]), lock_s * chance.choice([1, 5, 100]))
        algorithm: Any = chance.choice(ALGORITHMS)
        most = 64 if algorithm == "sliding_log" else chance.choice([3, 20, 10**5, 2**32 - 1])
        amounts = [f"{chance.randint(1, most)} per {period_s} second" for period_s in chance.sample(range(1, chance.choice([5, 10**6])), chance.choice([1, 1, 1, 2, 3]))]
        burst = chance.randint(1, 40) if algorithm in BUCKETS and len(amounts) == 1 and chance.random() < 0.4 else None
        return Limits("; ".join(amounts), algorithm=algorithm, burst=burst)

    def cost(self, limits: Limits) -> int:
        capacity = min(item.burst for item in limits.items)
        return self.chance.choice([1, 1, 1, 1, 0, 2, 3, capacity, capacity + 1 if capacity < 2**32 - 1 else 1, self.chance.randint(0, capacity), max(1, capacity // 2), self.chance.choice([5, 2**32 - 1])])

    def move(self, key: Key) -> None:
        """What happens to a key between two requests."""
        chance, period = self.chance, 1000 * chance_of_period(self.chance, key.limits)
        kind = chance.random()
        if kind < 0.04:
            key.limits = self.limits()
        elif kind < 0.05:
            self.store(key, chance.randbytes(chance.randint(1, 40)))
        elif kind < 0.08 and key.state:
            self.store(key, self.mutated(key.state))
        elif kind < 0.14:
            self.store(key, b"".join(self.invented(key, item.amount, item.period_s, item.burst) for item in key.limits.items))
        elif kind < 0.16:
            self.store(key, b"")
        each = max(1, period // max(1, key.limits.items[0].amount))
        gap = chance.choice([0, 0, 1, chance.randint(0, period), chance.randint(0, 2 * each), chance.randint(0, 2 * each), each, period, 2 * period, -1, -chance.randint(0, period)])
        key.now = min(max(key.now + gap, 0), MAX_NOW_MS)
        if chance.random() < 0.02:
            key.now = chance.choice([0, 1, NOW_MS, MAX_NOW_MS, MAX_NOW_MS - 1])

    def mutated(self, state: bytes) -> bytes:
        at = self.chance.randrange(len(state))
        return self.chance.choice([state[:at], state + b"\0", state[:at] + self.chance.randbytes(1) + state[at + 1 :], state[:at] + bytes([state[at] ^ 1]) + state[at + 1 :], state + state])

    def invented(self, key: Key, amount: int, period_s: int, burst: int) -> bytes:
        """A state of the key's own limit, with whatever in it a state can say."""
        chance, period = self.chance, period_s * 1000
        algorithm = key.limits.algorithm

        def time() -> bytes:
            near = key.now + chance.choice([0, 1, -1, period, -period, -2 * period, 1 - period, chance.randint(-2 * period, 2 * period)])
            return min(max(chance.choice([near, near, near, near, 0, 2**48 - 1, MAX_NOW_MS]), 0), 2**48 - 1).to_bytes(6, "big")

        def count(most: int, size: int = 4) -> bytes:
            return chance.choice([0, 1, most, most, chance.randint(0, most), most + 1 if chance.random() < 0.1 and most < 256**size - 1 else most]).to_bytes(size, "big")

        tag = KINDS[algorithm] + amount.to_bytes(4, "big") + period_s.to_bytes(4, "big")
        if algorithm in BUCKETS:
            return tag + burst.to_bytes(4, "big") + time() + count(amount - 1)
        if algorithm == "fixed_window":
            return tag + time() + count(amount)
        if algorithm == "sliding_window":
            return tag + time() + count(amount) + count(amount)
        if algorithm == "sliding_log":
            times = sorted(time() for _ in range(chance.choice([amount, amount + 1, chance.randint(0, amount)])))
            return tag + bytes([len(times)]) + b"".join(times)
        return tag + count(amount, 1) + count(255, 1) + time() + time()

    def store(self, key: Key, state: bytes) -> None:
        key.state = state
        if state:
            self.client.set(key.name, state, px=FOREVER_MS)
        else:
            self.client.delete(key.name)

    def round(self) -> int:
        """One step of every key; returns how many steps that were."""
        for key in self.keys:
            self.move(key)
        asked = [(key, self.cost(key.limits)) for key in self.keys]
        again = [(key, cost) for (key, cost), answer in zip(asked, self.ask(asked)) if not self.check(key, cost, *answer)]
        # The state of another specification is converted by the kernel, and put in its place.
        for key, _ in again:
            verdict, converted = key.limits.spend(key.state, 0, now_ms=key.now)
            done = self.client.evalsha(self.compare_and_set, 1, key.name, key.state, converted, str(max(verdict.keep_ms, 1)))
            if done != 1:
                raise Failed(f"{key}: a state was not put in the place of another")
            if verdict.keep_ms < 1000:
                self.store(key, converted)
            key.state = converted
        for (key, cost), answer in zip(again, self.ask(again)):
            if not self.check(key, cost, *answer):
                raise Failed(f"{key}: its own state is another's to the script")
        return len(asked) + len(again)

    def ask(self, asked: list[tuple[Key, int]]) -> list[tuple[Any, int, bytes]]:
        """The script's reply, the time to live and the state afterwards, for each. The server's clock stands still meanwhile."""
        if not asked:
            return []
        for key, _ in asked:
            self.load(key.limits.script)
        batches = [asked] if self.together else [[one] for one in asked]
        pipe = self.client.pipeline(transaction=False)
        for batch in batches:
            pipe.execute_command("MULTI")
            for key, cost in batch:
                key.args = key.limits.script_args(cost, now_ms=key.now)
                pipe.execute_command("EVALSHA", self.load(key.limits.script), 1, key.name, *key.args)
                pipe.execute_command("PTTL", key.name)
                pipe.execute_command("GET", key.name)
                pipe.execute_command("PERSIST", key.name)
            pipe.execute_command("EXEC")
        replies = [reply for answer in pipe.execute() if isinstance(answer, list) for reply in answer]
        return [(reply, ttl, state or b"") for reply, ttl, state, _ in zip(*[iter(replies)] * 4)]

    def check(self, key: Key, cost: int, reply: bytes, ttl: int, after: bytes) -> bool:
        """Hold a reply to the kernel. Returns false if the state is another specification's."""
        wrote, now, before = reply[0], int.from_bytes(reply[1:7], "big"), reply[7:]
        if before != key.state or now != key.now:
            raise Failed(f"{key}: the script saw {before.hex()} at {now}")
        verdict, expected = key.limits.spend(before, cost, now_ms=now)
        if wrote == 2:
            converted = key.limits.spend(before, 0, now_ms=now)[1]
            if after != before or converted == before or not before:
                raise Failed(f"{key}: a state of its own is another's to the script")
            self.outcomes["converted"] += 1
            return False
        self.hold(key, cost, bool(wrote), ttl, after, verdict, expected)
        key.state = after
        return True

    def hold(self, key: Key, cost: int, wrote: bool, ttl: int, after: bytes, verdict: Verdict, expected: bytes) -> None:
        if wrote != (verdict.allowed and cost > 0) or after != expected:
            raise Failed(f"{key}, cost {cost}: the script left {after.hex()}, the kernel {expected.hex()}, {verdict}")
        # While a batch is answered, time passes for what looks at the clock.
        if wrote and not max(0, verdict.keep_ms - SLACK_MS) <= ttl <= verdict.keep_ms:
            raise Failed(f"{key}, cost {cost}: to live for {ttl} ms, and {verdict.keep_ms} are wanted")
        kind = "allowed" if wrote else "never allowed" if verdict.never_allowed else "asked" if cost == 0 else "refused"
        self.outcomes[f"{kind} by {key.limits.algorithm}"] += 1


def chance_of_period(chance: random.Random, limits: Limits) -> int:
    return chance.choice(limits.items).period_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"scripts: {options.steps} steps, seed {seed}", flush=True)
    within(MOST_S)
    outcomes: Counter[str] = Counter()
    for cluster, steps in ((False, options.steps), (True, options.steps // 10)):
        with Server(cluster=cluster) as server, server.client() as client:
            run, taken = Run(client, seed + cluster, together=not cluster), 0
            while taken < steps:
                taken += run.round()
            outcomes += run.outcomes
    print(f"scripts: {', '.join(f'{count} {kind}' for kind, count in outcomes.most_common())}")
    if options.steps >= 4000 and min(outcomes[f"{kind} by {algorithm}"] for kind in ("allowed", "refused", "asked") for algorithm in (*ALGORITHMS, "lockout")) < 20:
        raise Failed("too little of something came out for it to mean anything")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"script_equivalence: {failure}")
