"""The shapes of the dictionaries that keyrings take and give."""

from __future__ import annotations

from typing import TypedDict


class KeySummary(TypedDict):
    """What a log may know of a key."""

    kid: str | None
    kty: str | None
    alg: str | None
    purpose: str
    status: str
    created_s: int | None
    not_after_s: int | None
    thumbprint: str | None


class _MasterKeyRequired(TypedDict):
    purpose: str
    alg: str
    epoch: int


class MasterKey(_MasterKeyRequired, total=False):
    """Which keys of one purpose a master secret is derived into.

    `epoch` is the primary; the next one is derived too, published and active. Those from `oldest`
    on still verify, but for the `disabled` ones.
    """

    oldest: int
    disabled: list[int]
