"""Lengths of time, as everywhere in donjon: an `int` of seconds, or a `timedelta`."""

from __future__ import annotations

from datetime import timedelta

from donjon.errors import InvalidArgument

Duration = int | timedelta

_MILLISECOND = timedelta(milliseconds=1)
_MAX_MS = 100 * 366 * 86_400_000


def milliseconds(duration: Duration, name: str, *, least: int = 1) -> int:
    """Return it in whole milliseconds, `least` of them or more, up to a hundred years."""
    if isinstance(duration, timedelta):
        whole, rest = divmod(duration, _MILLISECOND)
        if rest:
            raise InvalidArgument(f"{name} has a fraction of a millisecond")
    elif isinstance(duration, int) and not isinstance(duration, bool):
        whole = duration * 1000
    else:
        raise TypeError(f"{name} is an int of seconds or a timedelta")
    if not least <= whole <= _MAX_MS:
        raise InvalidArgument(f"{name} is too short, or over 100 years")
    return whole
