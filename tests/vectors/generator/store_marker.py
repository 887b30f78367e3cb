"""The marker by which a store's flush or restore is noticed (FORMATS.md, Revocation; ATTACKS.md 52a)."""

from __future__ import annotations

from collections.abc import Iterator

from . import revoking
from .revoking import ALIVE_EVERY_MS, MAX_AHEAD_MS, MAX_COUNT, ClockBehind, marker
from .suite import NOW, Suite, refusal

NOW_MS = NOW * 1000
SILENCE_MS = 3_600_000
CENTURY_MS = 3_155_760_000_000


def suites() -> Iterator[Suite]:
    suite = Suite("store-marker", "Whether a store was flushed, restored or silent since it was last seen: what is older than its new beginning is dead.", "FORMATS.md, Revocation; ATTACKS.md 52a")

    def decide(name: str, stored: bytes, seen: bytes = b"", *, reason: str = "", write: int, now_ms: int = NOW_MS, max_silence_ms: int = SILENCE_MS, golden: bool = False) -> None:
        answer = revoking.store_marker(stored, seen, max_silence_ms, now_ms)
        assert (answer["reason"], answer["write"]) == (revoking.MARKER_REASONS.index(reason), write), name
        request = {"op": "store_marker", "stored_hex": stored.hex(), "seen_hex": seen.hex(), "max_silence_ms": max_silence_ms, "now_ms": now_ms}
        suite.add(name, request, {"ok": True, **answer}, 52, golden=golden)

    def refuses(name: str, stored: bytes, seen: bytes = b"", *, now_ms: int = NOW_MS) -> None:
        """One of the clocks is wrong, and nobody can say which."""
        try:
            revoking.store_marker(stored, seen, SILENCE_MS, now_ms)
        except ClockBehind:
            request = {"op": "store_marker", "stored_hex": stored.hex(), "seen_hex": seen.hex(), "max_silence_ms": SILENCE_MS, "now_ms": now_ms}
            suite.add(name, request, refusal("store_unavailable"), 52)
        else:
            raise AssertionError(name)

    began = NOW_MS - 10**9
    fresh = marker(41, began, NOW_MS - 600)
    decide("alive", fresh, write=0, golden=True)
    decide("alive, and so it was seen", fresh, fresh, write=0)
    decide("alive, and seen before", fresh, marker(40, began, NOW_MS - 1600), write=0, golden=True)
    decide("alive this very millisecond", marker(41, began, NOW_MS), write=0)
    decide("a millisecond before it says so again", marker(41, began, NOW_MS - ALIVE_EVERY_MS + 1), write=0)
    decide("it says so again after a second", marker(41, began, NOW_MS - ALIVE_EVERY_MS), write=2)
    decide("it says so again after a minute", marker(41, began, NOW_MS - 60_000), marker(7, began, NOW_MS - 90_000), write=2)
    decide("a store from the beginning of time", marker(0, 0, NOW_MS - 600), write=0)
    decide("a store from the beginning of time says so again", marker(0, 0, NOW_MS - 60_000), write=2)
    decide("a count at its end stays there", marker(MAX_COUNT, began, NOW_MS - 60_000), marker(MAX_COUNT, began, NOW_MS - 60_000), write=2)
    decide("a count of which all seven bytes are used", marker(0x0102030405FFFF, began, NOW_MS - 60_000), write=2)
    decide("begun anew since, by another process", marker(43, NOW_MS - 500, NOW_MS - 500), marker(42, began, NOW_MS - 2000), write=0)
    decide("begun anew since, by a process whose clock is a minute ahead", marker(43, NOW_MS + 60_000, NOW_MS + 60_000), marker(42, began, NOW_MS - 2000), write=0)
    decide("a sign of life of less than was seen, but counted on: clocks differ", marker(42, began, NOW_MS - 800), marker(41, began, NOW_MS + 9000), write=0)

    decide("missing: the first time ever", b"", reason="missing", write=1)
    decide("missing: it was flushed", b"", fresh, reason="missing", write=1)
    decide("missing: it was flushed, and this clock is behind the one that wrote it", b"", marker(41, began, NOW_MS + 5000), reason="missing", write=1)
    decide("missing: it was flushed, and this clock is a minute behind the one that began it", b"", marker(41, NOW_MS + 60_000, NOW_MS + 60_000), reason="missing", write=1)
    decide("missing: it was flushed, and what was seen began too far ahead to count", b"", marker(41, NOW_MS + MAX_AHEAD_MS + 1, NOW_MS + MAX_AHEAD_MS + 1), reason="missing", write=1)
    decide("missing: it was flushed, and what was seen began as far ahead as may be", b"", marker(41, NOW_MS + MAX_AHEAD_MS, NOW_MS + MAX_AHEAD_MS), reason="missing", write=1)
    decide("missing: in 1970", b"", reason="missing", write=1, now_ms=1000)
    for name, began_ms in {"in the same millisecond": NOW_MS, "in the same second": NOW_MS - 400, "a second ago": NOW_MS - 1000, "more than a second ago": NOW_MS - 1001}.items():
        decide(f"missing: it was flushed, and it had begun anew {name}", b"", marker(41, began_ms, NOW_MS), reason="missing", write=1)
        decide(f"restored, and it had begun anew {name}", marker(40, began, NOW_MS), marker(41, began_ms, NOW_MS), reason="rolled back", write=1)
    decide("restored: it counts less than was seen", marker(40, began, NOW_MS - 2000), fresh, reason="rolled back", write=1)
    decide("restored, and touched since by somebody who had not seen it: its count tells", marker(40, began, NOW_MS), fresh, reason="rolled back", write=1)
    decide("restored, and touched since until it counts what was seen: no two markers of one history have one count", marker(41, began, NOW_MS - 500), fresh, reason="rolled back", write=1)
    decide("restored, begun anew, and it counts what was seen", marker(41, NOW_MS - 600, NOW_MS - 600), fresh, reason="rolled back", write=1)
    decide("restored to the first marker", marker(0, began, NOW_MS), marker(1, began, NOW_MS - 2000), reason="rolled back", write=1)
    decide("restored to before it began anew", marker(40, 0, NOW_MS), marker(41, began, NOW_MS - 2000), reason="rolled back", write=1)
    decide("restored, and this clock is behind", marker(40, began, NOW_MS + 1000), marker(41, began, NOW_MS + 9000), reason="rolled back", write=1)
    decide("restored and long silent: it is restored", marker(40, began, NOW_MS - 2 * SILENCE_MS), fresh, reason="rolled back", write=1)
    decide("silent: a millisecond too long", marker(41, began, NOW_MS - SILENCE_MS - 1), reason="silent", write=1)
    decide("silent: as long as it may be", marker(41, began, NOW_MS - SILENCE_MS), write=2)
    decide("silent, and so it was seen", marker(41, began, NOW_MS - 10**9), marker(41, began, NOW_MS - 10**9), reason="silent", write=1)
    decide("silent for a second where that is the most", marker(41, began, NOW_MS - 1001), reason="silent", write=1, max_silence_ms=1000)
    decide("silent for a year where a century is the most", marker(41, 0, NOW_MS - 365 * 86_400_000), write=2, max_silence_ms=CENTURY_MS)
    decide("a clock that is behind by what it may be is no silence", marker(41, began, NOW_MS + MAX_AHEAD_MS), write=0)
    decide("a sign of life from further ahead is none: it says so again", marker(41, began, NOW_MS + MAX_AHEAD_MS + 1), write=2)
    decide("a sign of life from a year ahead, and so it was seen", marker(41, began, NOW_MS + 10**10), marker(41, began, NOW_MS + 10**10), write=2)
    decide("a sign of life from far ahead, of a store that began a minute ahead", marker(41, NOW_MS + 60_000, NOW_MS + 10**10), write=2)
    decide("a beginning as far ahead as it may be", marker(41, NOW_MS + MAX_AHEAD_MS, NOW_MS + MAX_AHEAD_MS), write=0)
    decide("a clock at its end", marker(0, 0, 0), reason="silent", write=1, now_ms=2**63 - 1 - MAX_AHEAD_MS)
    refuses("a beginning further ahead than clocks may be apart", marker(41, NOW_MS + MAX_AHEAD_MS + 1, NOW_MS + MAX_AHEAD_MS + 1))
    refuses("a beginning a year ahead, by a clock that was", marker(41, NOW_MS + 10**10, NOW_MS + 10**10), fresh)
    refuses("a beginning a year ahead, and so it was seen", marker(41, NOW_MS + 10**10, NOW_MS + 10**10), marker(41, NOW_MS + 10**10, NOW_MS + 10**10))
    refuses("a beginning a year ahead, and more was seen", marker(41, NOW_MS + 10**10, NOW_MS + 10**10), marker(42, began, NOW_MS))
    refuses("a clock at its beginning", marker(41, began, NOW_MS), now_ms=0)

    damaged = {
        "one byte": fresh[:1], "a byte short": fresh[:-1], "a byte long": fresh + b"\0", "all zero": bytes(24), "all ones": b"\xff" * 24, "another version": b"\x02" + fresh[1:], "begun before 1970": marker(41, -1, NOW_MS),
        "alive before it began": marker(41, NOW_MS, NOW_MS - 1), "a number": b"1700000000000", "the marker as text": fresh.hex().encode(),
    }  # fmt: skip
    for name, stored in damaged.items():
        decide(f"damaged: {name}", stored, reason="damaged", write=1)
        decide(f"damaged: {name}, and a good one was seen", stored, marker(41, began, NOW_MS + 700), reason="damaged", write=1)
        request = {"op": "store_marker", "stored_hex": fresh.hex(), "seen_hex": stored.hex(), "max_silence_ms": SILENCE_MS, "now_ms": NOW_MS}
        suite.add(f"what was seen is no marker: {name}", request, refusal("invalid_argument|malformed"), 52)
    request = {"op": "store_marker", "stored_hex": fresh.hex(), "seen_hex": "", "max_silence_ms": SILENCE_MS, "now_ms": NOW_MS}
    for name, changes in {"no silence at all": {"max_silence_ms": 0}, "a negative silence": {"max_silence_ms": -1}, "a silence over 100 years": {"max_silence_ms": CENTURY_MS + 1}, "a silence of the greatest of 64 bits": {"max_silence_ms": 2**63 - 1}, "a clock before 1970": {"now_ms": -1}}.items():
        suite.add(name, request | changes, refusal("invalid_argument"))
    yield suite
