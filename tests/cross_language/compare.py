#!/usr/bin/env python3
"""Holds the hosts' answers equal: `tests/cross_language/compare.py [--requests N] [--seed N] [--hosts rust,python,go]`.

Random and mutated requests, the same for the same seed, go to `tests/shim rust`, `python` and `go` at once; every answer
must be the same bytes. What the requests came to is printed, and the run fails if too few of them were good ones: hosts
that refuse everything agree too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

from generation import WEIGHTS, Generator
from playing import Player

SHIM = Path(__file__).resolve().parents[1] / "shim"
SHOWN = 5
# What must come out of a run of some size for it to mean anything.
LEAST_REQUESTS = 1000
LEAST_OK = 0.35
LEAST_OK_PER_OPERATION = 0.1
LEAST_STATUSES = 25


def answers(host: str, lines: list[bytes]) -> list[bytes]:
    run = subprocess.run([SHIM, host], input=b"".join(line + b"\n" for line in lines), stdout=subprocess.PIPE, check=False)
    if run.returncode != 0:
        sys.exit(f"tests/shim {host} ended with {run.returncode}")
    given = run.stdout.split(b"\n")[:-1]
    if len(given) != len(lines):
        sys.exit(f"{host} answered {len(given)} of {len(lines)} lines")
    return given


def ask(hosts: list[str], lines: list[bytes]) -> dict[str, list[bytes]]:
    with ThreadPoolExecutor(len(hosts)) as pool:
        return dict(zip(hosts, pool.map(lambda host: answers(host, lines), hosts)))


def smaller(line: bytes) -> list[bytes]:
    """The request with one member less, for each of its members."""
    try:
        request = json.loads(line)
    except ValueError:
        return []
    if not isinstance(request, dict):
        return []
    texts = [{other: value for other, value in request.items() if other != name} for name in request if name != "op"]
    return [json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") for text in texts]


def shrunk(hosts: list[str], line: bytes) -> bytes:
    """A smaller request that the hosts still answer differently, if leaving out members finds one."""
    while candidates := smaller(line):
        given = ask(hosts, candidates)
        differing = [candidate for candidate, *each in zip(candidates, *given.values()) if len(set(each)) > 1]
        if not differing:
            return line
        line = min(differing, key=len)
    return line


def shown(text: bytes, limit: int = 700) -> str:
    readable = text.decode("utf-8", "backslashreplace")
    return readable if len(readable) <= limit else f"{readable[:limit]}… ({len(text)} bytes)"


def report(hosts: list[str], number: int, line: bytes) -> None:
    line = shrunk(hosts, line)
    given = {host: each[0] for host, each in ask(hosts, [line]).items()}
    print(f"request {number}: {shown(line)}")
    for host, answer in given.items():
        print(f"  {host:<7}{shown(answer)}")


def outcome(answer: bytes) -> str:
    parsed = json.loads(answer)
    return "ok" if parsed["ok"] else str(parsed["error"])


def operation(line: bytes) -> str:
    try:
        request = json.loads(line)
    except ValueError:
        return "no request"
    op = request.get("op") if isinstance(request, dict) else None
    return op if isinstance(op, str) and op in WEIGHTS else "another op"


def distribution(lines: list[bytes], given: list[bytes]) -> list[str]:
    """Prints what the requests came to; returns what is wrong with it."""
    per_operation: dict[str, Counter[str]] = {}
    for line, answer in zip(lines, given):
        per_operation.setdefault(operation(line), Counter())[outcome(answer)] += 1
    total: Counter[str] = sum(per_operation.values(), Counter())
    for name, counts in sorted(per_operation.items(), key=lambda item: -item[1].total()):
        listed = ", ".join(f"{status} {count}" for status, count in counts.most_common())
        print(f"  {name:<22}{counts.total():>6}  {listed}")
    print(f"  {'all':<22}{total.total():>6}  ok {total['ok']} ({total['ok'] / total.total():.0%}), {len(total)} different outcomes")
    complaints = ["a host met a defect: internal_error"] if "internal_error" in total else []
    if total.total() < LEAST_REQUESTS:
        return complaints
    if total["ok"] < LEAST_OK * total.total():
        complaints.append("too few requests were answered with ok")
    if len(total) < LEAST_STATUSES:
        complaints.append("too few different statuses came out")
    for name, counts in per_operation.items():
        if name in WEIGHTS and counts["ok"] < LEAST_OK_PER_OPERATION * counts.total():
            complaints.append(f"too few of {name} were answered with ok")
    return complaints


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hosts", default="rust,python,go")
    options = parser.parse_args()
    hosts = options.hosts.split(",")
    for host in hosts:
        if subprocess.run([SHIM, "build", host], check=False).returncode != 0:
            sys.exit(f"tests/shim build {host} failed")

    player = Player(SHIM, hosts[0])
    lines = list(Generator(options.seed, player).lines(options.requests))
    player.close()
    start = time.monotonic()
    given = ask(hosts, lines)
    took = time.monotonic() - start
    differing = [number for number, each in enumerate(zip(*given.values())) if len(set(each)) > 1]
    for number in differing[:SHOWN]:
        report(hosts, number, lines[number])
    complaints = distribution(lines, given[hosts[0]])
    for complaint in complaints:
        print(f"  {complaint}")
    agreeing = len(lines) - len(differing)
    print(f"{', '.join(hosts)} (seed {options.seed}, {took:.0f} s): {agreeing} passed, {len(differing)} failed")
    return 1 if differing or complaints else 0


if __name__ == "__main__":
    sys.exit(main())
