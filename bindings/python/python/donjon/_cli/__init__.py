"""What an operator needs: files sealed and opened, keys rotated.

Secrets are never arguments, which every user of the machine can read: they come from files that
only their owner can read, from the environment, from a terminal or from a file descriptor.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from donjon import DonjonError, __version__
from donjon._cli import files, keyring
from donjon._cli.refusal import Refused, told

_DONE, _FAILED, _INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say. 0: done; 1: refused or failed; 2 is of argparse: no such use."""
    options = _parser().parse_args(arguments)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # Python would end at once, and leave half a file. `nohup` has it ignored.
        if signal.getsignal(ending) is signal.SIG_DFL:
            signal.signal(ending, _end)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may be no text.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has read enough. Python would complain once more at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except (Refused, DonjonError, OSError) as error:
        print(f"donjon: {told(error)}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return _DONE


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m donjon",
        description="Seals and opens files, and looks after keys.",
        epilog="Exit status: 0 done, 1 refused or failed, 2 wrong usage. "
        "`python -m donjon COMMAND --help` says more.",
    )
    parser.add_argument("--version", action="version", version=f"donjon {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    files.add_commands(commands)
    keyring.add_command(commands)
    return parser
