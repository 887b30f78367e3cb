#!/usr/bin/env python3
"""Writes the vectors beside this file: `python3 tests/vectors/generate.py` (needs the package `cryptography`, 50 or later).

Nothing here calls donjon: tokens, hashes and envelopes are made by hand from the primitives of `cryptography`, policies are
decided by a reference evaluator, and each expected answer is written from the specification that its file names. Keys and
nonces are derived from labels, so a second run gives the same bytes; `--check` only says whether it would.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from generator import (
    algorithms,
    chunked,
    claims,
    client_ip,
    columns,
    envelopes,
    fernet,
    golden,
    keyring,
    keys_attacks,
    limits,
    passwords,
    permissions,
    policies,
    purpose,
    refresh,
    revocation,
    revocation_records,
    revocation_sets,
    rfc,
    session_bytes,
    session_checks,
    session_families,
    session_lists,
    session_requests,
    sessions,
    shape,
    signing,
    sources,
    store_marker,
    streams,
    strength,
    types,
)

HERE = Path(__file__).resolve().parent
# What other libraries wrote once, by foreign.py.
GIVEN = {Path("golden/foreign.json")}
THEMES = (rfc, signing, algorithms, keys_attacks, shape, claims, types, keyring, purpose, refresh, revocation, revocation_records, store_marker, revocation_sets, passwords, strength, permissions, policies, chunked, envelopes, sources, streams, columns, fernet, limits, client_ip, sessions, session_checks, session_families, session_lists, session_bytes, session_requests)


def write(folder: Path) -> int:
    (folder / "golden").mkdir(exist_ok=True)
    golden.write(folder / "golden")
    return sum(suite.write(folder) for theme in THEMES for suite in theme.suites())


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        with tempfile.TemporaryDirectory() as scratch:
            fresh = Path(scratch)
            write(fresh)
            made = {path.relative_to(fresh): path.read_bytes() for path in fresh.rglob("*.json")}
        kept = {path.relative_to(HERE): path.read_bytes() for path in HERE.rglob("*.json")}
        kept = {name: text for name, text in kept.items() if name not in GIVEN}
        stale = sorted(str(name) for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
        print("\n".join(f"{name}: not what the generator writes" for name in stale) or "vectors are up to date")
        return 1 if stale else 0
    print(f"{write(HERE)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
