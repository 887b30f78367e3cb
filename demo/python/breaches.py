"""What a service of breached passwords would answer, canned, so that the demo asks nobody.

A real service fetches https://api.pwnedpasswords.com/range/{prefix} with `Add-Padding: true`, and
decides what becomes of a registration while that is down.
"""

from __future__ import annotations

# Of "Correct-Horse-7-Battery": five digits to ask for, and the other 35.
BREACHED = {"0F74D": "56D27D13CA906CC65C35AF93FF9F53E385F:31"}
PADDING = ("0018A45C4D1DEF81644B54AB7F969B88D65:0", "00D4F6E8FA6EECAD2A3AA415EEC418D38EC:0")


async def breached_range(prefix: str) -> str:
    """Return the hashes of breached passwords that begin with the prefix, one per line."""
    return "\r\n".join(sorted([*PADDING, *filter(None, [BREACHED.get(prefix)])]))
