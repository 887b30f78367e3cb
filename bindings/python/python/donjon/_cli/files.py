"""`seal`, `open`, `rewrap`, `inspect`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from donjon import DonjonError, Envelope, inspect_envelope
from donjon._cli import secret_sources
from donjon._cli.progress import ProgressBar
from donjon._cli.refusal import Refused, told
from donjon._donjon import ENVELOPE_PREFIX_MAX
from donjon._files import open_stream, refuse_target, replacing, seal_stream
from donjon._offload import usable_cpus

_MOST_THREADS = 4
_CONTEXT = """\
The context says where the data belongs, and has to be the same when it is opened; it is not
secret, and not stored. One --context for each part: --context reports --context 2024."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands for files."""
    seal = commands.add_parser(
        "seal",
        help="seal a file, or what is piped in",
        description=f"Seals a file, or what is piped in.\n\n{_CONTEXT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_copy_arguments(seal)
    secret_sources.add_arguments(seal)
    seal.add_argument(
        "--memory-mib",
        type=int,
        metavar="N",
        help="the memory that each guess at a passphrase takes, and so each opening (256)",
    )
    seal.set_defaults(run=_seal)

    opening = commands.add_parser(
        "open",
        help="open what was sealed",
        description=f"Opens what was sealed.\n\n{_CONTEXT}\n\n"
        "An output file is there once all of it is authentic. A pipe gets each piece when that is\n"
        "authentic; that it was all, only exit status 0 says.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_copy_arguments(opening)
    secret_sources.add_arguments(opening)
    opening.set_defaults(run=_open)

    rewrap = commands.add_parser(
        "rewrap",
        help="put sealed files under another key",
        description="Puts sealed files under the keyring's primary key, or under new keys. What "
        "was sealed is not opened. Each file is replaced at once or stays as it was; those that "
        "are under that key already are left alone, so what was interrupted can be run again.",
    )
    rewrap.add_argument("files", metavar="FILE", type=Path, nargs="+")
    rewrap.add_argument(
        "--dry-run", action="store_true", help="only say which files are under an older key"
    )
    _add_quiet(rewrap)
    secret_sources.add_arguments(rewrap)
    secret_sources.add_new_arguments(rewrap)
    rewrap.set_defaults(run=_rewrap)

    inspect = commands.add_parser(
        "inspect",
        help="say of which kind sealed files are, and under which key",
        description="Says of which kind sealed files are, and under which key. Needs no key, and "
        "none of it is authentic.",
    )
    inspect.add_argument("files", metavar="FILE", type=Path, nargs="+")
    inspect.set_defaults(run=_inspect)


def _add_copy_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="FILE", nargs="?", default="-", help="what to read; - is stdin (-)"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="what to write; - is stdout (-)"
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace the output file if it is there"
    )
    context = parser.add_mutually_exclusive_group(required=True)
    context.add_argument(
        "-c",
        "--context",
        metavar="PART",
        action="append",
        help="a part of the context; in order, as many as there are",
    )
    context.add_argument(
        "--no-context",
        dest="context",
        action="store_const",
        const=[],
        help="bind it to no place: it opens wherever it is",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        default=min(usable_cpus(), _MOST_THREADS),
        help="how many processors to use (%(default)s)",
    )
    _add_quiet(parser)


def _add_quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")


def _seal(options: argparse.Namespace) -> None:
    if options.output == "-" and sys.stdout.isatty():
        raise Refused("sealed bytes are not for a terminal: give --output")
    _copy(options, seal_stream, chosen=True)


def _open(options: argparse.Namespace) -> None:
    _copy(options, open_stream, chosen=False)


def _copy(options: argparse.Namespace, copy: Callable[..., None], *, chosen: bool) -> None:
    if options.source == "-" and options.passphrase_fd == 0:
        raise Refused("stdin is either the passphrase or what is read, and not both")
    envelope = secret_sources.envelope_of(options, chosen=chosen)
    label = "stdin" if options.source == "-" else options.source
    with (
        _source(options.source) as source,
        _target(options.output, source, force=options.force) as target,
        ProgressBar(label, quiet=options.quiet) as progress,
    ):
        copy(
            envelope,
            source,
            target,
            # As the shell had them, whether they are text or not.
            context=[os.fsencode(part) for part in options.context],
            threads=options.threads,
            progress=progress,
        )


@contextmanager
def _source(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdin.buffer
    else:
        with Path(path).open("rb") as file:
            yield file


@contextmanager
def _target(path: str, source: BinaryIO, *, force: bool) -> Iterator[BinaryIO]:
    if path == "-":
        # Not `sys.stdout.buffer`: under PYTHONUNBUFFERED that writes a part, and says so to nobody.
        with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
            yield stdout
        return
    refuse_target(Path(path), os.fstat(source.fileno()))
    if not force and os.path.lexists(path):
        raise Refused(f"{path} is there already: --force replaces it")
    with replacing(path, overwrite=force) as file:
        yield file


def _rewrap(options: argparse.Namespace) -> None:
    envelope = secret_sources.envelope_of(options)
    to = secret_sources.new_envelope_of(options) or envelope
    failed = 0
    for path in options.files:
        try:
            _rewrap_one(options, path, envelope, to)
        except DonjonError as error:
            failed += 1
            print(f"donjon: {path}: {error}", file=sys.stderr)
        except OSError as error:
            failed += 1
            print(f"donjon: {told(error)}", file=sys.stderr)
    if failed:
        raise Refused(f"{failed} of {len(options.files)} files could not be re-wrapped")


def _rewrap_one(options: argparse.Namespace, path: Path, envelope: Envelope, to: Envelope) -> None:
    # A new passphrase leaves no mark, so only what is under keys can be known to be done.
    is_due = not to.key_id or to.needs_rewrap(_prefix(path))
    if is_due and not options.dry_run:
        with ProgressBar(str(path), quiet=options.quiet) as progress:
            envelope.rewrap_file(path, to=to, progress=progress)
    verdict = "is current" if not is_due else "is due" if options.dry_run else "re-wrapped"
    print(f"{path}: {verdict}")


def _inspect(options: argparse.Namespace) -> None:
    for path in options.files:
        found = inspect_envelope(_prefix(path))
        cost = (
            f", Argon2id {found.memory_kib} KiB, {found.time_cost} passes"
            if found.time_cost
            else ""
        )
        key = f", key {found.key_id}" if found.key_id else ""
        print(f"{path}: {found.kind}{key}{cost}")


def _prefix(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(ENVELOPE_PREFIX_MAX)
