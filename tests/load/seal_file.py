#!/usr/bin/env python3
"""Seals and opens one long file, and reports by how much that makes the process grow.

    tests/load/seal_file.py [--mib 64] [--folder DIR]

Prints a JSON line. Fails if the process grows by more than a few buffers, which do not depend on the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import donjon

MIB = 1 << 20
# Pieces of 1 MiB, in and out, and the pages of code that are run for the first time.
MOST_GROWN = 8 * MIB


def grown_by(folder: Path, mib: int) -> int:
    """How far the resident set rises while a file is sealed and opened, in bytes."""
    plain, sealed, opened = (folder / name for name in ("plain", "sealed", "opened"))
    with plain.open("wb") as file:
        for _ in range(mib):
            file.write(bytes(MIB))
    envelope = donjon.Envelope(donjon.Keyring.generate(None, purposes=["envelope"]))
    context = ("reports", "42")
    # The peak begins anew: proc_pid_clear_refs(5).
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_bytes("VmRSS:")
    envelope.seal_file(plain, sealed, context=context)
    envelope.open_file(sealed, opened, context=context)
    grown = resident_bytes("VmHWM:") - before
    assert opened.stat().st_size == plain.stat().st_size < sealed.stat().st_size
    return grown


def resident_bytes(name: str) -> int:
    """A figure of proc_pid_status(5)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=64)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        grown = grown_by(Path(folder), arguments.mib)
    print(json.dumps({"mib": arguments.mib, "grown_bytes": grown, "most_bytes": MOST_GROWN}))
    return 0 if grown <= MOST_GROWN else 1


if __name__ == "__main__":
    sys.exit(main())
