"""What docs/limits.md says in tables is what the kernel has and does."""

from __future__ import annotations

import re

import pytest
from constants import constant
from donjon import ConfigError, Limits, LimitTable
from donjon.limits import profiles
from fences import ROOT

LIMITS = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
WORDS = " ".join(LIMITS.split())


def test_every_profile_is_listed_as_the_kernel_has_it_and_no_other() -> None:
    """Name, text, algorithm."""
    listed = re.findall(r"^\| `([\w-]+/\w+)` \| (\S+) \| `(\w+)` \|$", LIMITS, re.MULTILINE)
    found = [
        (f"{document}/{endpoint}", profile["limits"], profile["algorithm"])
        for document, endpoints in profiles().items()
        for endpoint, profile in endpoints.items()
    ]
    assert listed == found


def rows() -> dict[str, tuple[str, str]]:
    """Return what the table of algorithms says: by name, the bound and the bytes of a state."""
    found = {}
    for names, bound, size in re.findall(
        r"^\| (`\w+`.*?) \| (N.*?|under 2N|2N) \| (\d+.*?) \|", LIMITS, re.MULTILINE
    ):
        for name in re.findall(r"`(\w+)`", names):
            found[name] = (bound, size)
    return found


def test_every_algorithm_is_listed_and_no_other() -> None:
    """By the names that a configuration spells."""
    source = (ROOT / "src/limit/one.rs").read_text(encoding="utf-8")
    names = set(re.findall(r'Self::\w+ => "(\w+)"', source)) - {"lockout"}
    assert set(rows()) == names


@pytest.mark.parametrize("algorithm", rows())
def test_a_state_has_the_bytes_that_the_table_says(algorithm: str) -> None:
    """After one, and of a log after five."""
    _, size = rows()[algorithm]
    limits, state = Limits("5/minute", algorithm=algorithm), b""  # type: ignore[arg-type]
    for _ in range(5):
        _, state = limits.spend(state, now_ms=1)
    fixed, *each = map(int, re.findall(r"\d+", size)[:2])
    assert len(state) == fixed + 5 * sum(each)
    assert len(Limits.lockout().spend(b"", now_ms=1)[1]) == 23


@pytest.mark.parametrize("algorithm", rows())
def test_no_more_is_admitted_in_a_period_than_the_table_says(algorithm: str) -> None:
    """Of arrivals at every 100 ms, but for one pause, at all the places that it can have."""
    bound = {"N": 5, "under 2N": 9, "N + burst − 1": 9, "2N": 10}[rows()[algorithm][0]]
    limits = Limits("5 per 2 seconds", algorithm=algorithm)  # type: ignore[arg-type]
    most = 0
    for pause in range(0, 4000, 100):
        state, admitted = b"", []
        arrivals = [0, *range(pause, 8000, 100)]
        for now_ms in arrivals:
            verdict, state = limits.spend(state, now_ms=now_ms)
            admitted += [now_ms] * verdict.allowed
        most = max(most, *(sum(at <= other < at + 2000 for other in admitted) for at in admitted))
    assert most <= bound
    assert most >= bound - 1  # and it says no more than it has to


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("limit/spec.rs", "MAX_SPEC_LEN", "| a text | {:,} bytes,"),
        ("limit/limits.rs", "MAX_LIMITS", "bytes, {} limits |"),
        ("limit/one.rs", "MAX_LOG_AMOUNT", "of a `sliding_log` {},"),
        ("limit/one.rs", "MAX_PERIOD_S", "| period | {:,} s,"),
        ("lockout.rs", "MAX_IDENTIFIER_LEN", "| account, address | {:,} bytes |"),
        ("ffi/limit_table.rs", "DONJON_LIMIT_KEY_MAX", "| key | {:,} bytes |"),
        ("runtime/limit_table/config.rs", "MAX_TABLE_CAPACITY", "| table | 1 to {:,} keys |"),
        ("runtime/limit_table/config.rs", "DEFAULT_TABLE_CAPACITY", "({:,} unless given;"),
        ("client_address/config.rs", "MAX_TRUSTED", "| `trusted` | {:,} networks;"),
        ("client_address/config.rs", "MAX_HOPS", "`hops` up to {} |"),
        ("client_address/entries.rs", "MAX_READ_LEN", "its last {:,} bytes are read |"),
    ],
)
def test_a_bound_is_the_kernels(path: str, name: str, said: str) -> None:
    """Each as docs/limits.md words it."""
    assert said.format(constant(path, name)) in WORDS


def test_the_longest_state_is_as_long_as_is_said() -> None:
    """Of as many sliding logs as there may be limits, all full."""
    log, least = constant("limit/one.rs", "MAX_LOG_AMOUNT"), constant("limit/limits.rs", "MAX_LIMITS")
    longest = Limits("; ".join(f"{log} per {n} hours" for n in range(1, least + 1)), algorithm="sliding_log")
    _, state = longest.spend(None, log, now_ms=0)
    assert f"| state | {len(state):,} bytes;" in WORDS


def test_a_lockouts_attempts_are_bounded_as_is_said() -> None:
    """By a byte."""
    assert "of a lock-out 255 |" in WORDS
    Limits.lockout(attempts=255)
    with pytest.raises(ConfigError):
        Limits.lockout(attempts=256)


def test_a_key_costs_a_table_what_is_said() -> None:
    """Some 60 bytes, when it is full."""
    table, limits = LimitTable(capacity=50_000), Limits("10/hour")
    for number in range(50_000):
        table.spend(limits, f"{number}")
    found = table.stats()
    assert "some 60 bytes each" in WORDS
    assert 50 < found.bytes / found.entries < 70
