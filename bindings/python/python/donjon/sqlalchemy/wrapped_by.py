"""Who ever wrapped a data key, and what that says about its being gone."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import donjon
from donjon import Erasure, Keyring


def read_ids(text: Any) -> list[str] | None:
    """Return the ids that `wrapped_by` lists; nothing if it is no such list.

    Whoever may write to the table has written it, so it ends neither a rotation nor a deletion.
    """
    try:
        ids = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return ids if isinstance(ids, list) and ids and all(isinstance(i, str) for i in ids) else None


def key_id(wrapped: bytes) -> str:
    """Return the id of the key that a wrapped key is under now."""
    return donjon.inspect_envelope(wrapped).key_id


def erasure_of(
    keyring: Keyring, wrapped: Any, listed: Any, *, backups_expire: int | None, now: int | None
) -> Erasure:
    """Say whether the data key is gone whose row, `wrapped` and `wrapped_by`, was deleted."""
    ids = read_ids(listed)
    complete, found = ids is not None, list(ids or ())
    try:
        # The list may be behind: a row that something else than `DataKeys.rewrap` wrapped anew.
        found.append(key_id(wrapped))
    except (donjon.DonjonError, TypeError):
        complete = False
    found = list(dict.fromkeys(found))
    status = {key["kid"]: key["status"] for key in keyring.summary()}
    if complete and all(i in status for i in found):
        return donjon.erasure(keyring, found, backups_expire=backups_expire, now=now)
    alive = [i for i in found if status.get(i) != "destroyed"]
    return _by_backups(alive, backups_expire, now)


def _by_backups(alive: Sequence[str], backups_expire: int | None, now: int | None) -> Erasure:
    """Judge keys that the keyring does not know, such as a KMS's: none counts as destroyed."""
    at = int(time.time()) if now is None else now
    expired = backups_expire is not None and backups_expire <= at
    return Erasure(
        erased=expired,
        by="backups_expired" if expired else None,
        alive=tuple(alive),
        backups_expire=backups_expire,
    )
