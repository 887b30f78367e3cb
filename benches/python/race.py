"""Ours and the peers in turn, round by round; the least time per call of each, as JSON lines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.metadata import version

ROUNDS = 300
ROUND_NS = 1_000_000
# A race of slow calls has fewer rounds: it takes about this long.
RACE_NS = 12_000_000_000
FEWEST_ROUNDS = 5

Call = Callable[[], object]


def race(calls: list[Call]) -> list[float]:
    """The least time per call of each, in nanoseconds, over rounds that alternate."""
    counts = [calls_per_round(call) for call in calls]
    round_ns = sum(per_call(call, count) * count for call, count in zip(calls, counts, strict=True))
    least = [float("inf")] * len(calls)
    for _ in range(max(FEWEST_ROUNDS, min(ROUNDS, int(RACE_NS / round_ns)))):
        for i, call in enumerate(calls):
            least[i] = min(least[i], per_call(call, counts[i]))
    return least


def calls_per_round(call: Call) -> int:
    if per_call(call, 1) > ROUND_NS:
        return 1
    return max(2, min(5_000, int(ROUND_NS / per_call(call, 20))))


def per_call(call: Call, count: int) -> float:
    rounds = range(count)
    start = time.perf_counter_ns()
    for _ in rounds:
        call()
    return (time.perf_counter_ns() - start) / count


def report(name: str, ours: Call, peers: dict[str, Call], wanted: float | None = None) -> None:
    """One line per peer, a package's name and a part of it; `wanted` is the ratio to the first."""
    ours_ns, *peers_ns = race([ours, *peers.values()])
    for index, (peer, peer_ns) in enumerate(zip(peers, peers_ns, strict=True)):
        report_times(name, ours_ns, peer, peer_ns, None if index else wanted)


def report_times(
    name: str, ours_ns: float, peer: str, peer_ns: float, wanted: float | None = None
) -> None:
    """What was measured elsewhere."""
    ratio = ours_ns / peer_ns
    line = {
        "name": name,
        "host": "python",
        "ours_ns": round(ours_ns, 1),
        "peer": named(peer),
        "peer_ns": round(peer_ns, 1),
        "ratio": round(ratio, 4 if ratio >= 0.01 else 7),
        "wanted": wanted,
    }
    print(json.dumps(line), flush=True)


def report_bytes(
    name: str, ours: int, bound: str, bound_bytes: int, wanted: float | None = 1.0
) -> None:
    """Memory against its bound, or a package's."""
    line = {
        "name": name,
        "host": "python",
        "ours_ns": None,
        "peer": bound if bound[0].isdigit() else named(bound),
        "peer_ns": None,
        "ratio": round(ours / bound_bytes, 4),
        "wanted": wanted,
        "ours_bytes": ours,
        "peer_bytes": bound_bytes,
    }
    print(json.dumps(line), flush=True)


def named(peer: str) -> str:
    package, *part = peer.split(maxsplit=1)
    return " ".join([package, version(package), *part])
