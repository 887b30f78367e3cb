"""`keyring`: keys made, shown, rotated, taken out."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeAlias

from donjon import Keyring
from donjon._cli import secret_sources
from donjon._cli.refusal import Refused
from donjon._files import keep_access, replacing
from donjon.types import KeySummary

_PURPOSES = ("token", "envelope", "blind-index", "settings", "password-pepper")
_AT_REST = ("envelope", "blind-index", "settings")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(commands: Commands) -> None:
    """Add the command for keys."""
    parser = commands.add_parser(
        "keyring",
        help="make, show and rotate keys",
        description="Makes, shows and rotates the keys of a keyring in a file.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    generate = _add(actions, "generate", _generate, "make a keyring in a new file")
    generate.add_argument(
        "purposes",
        metavar="PURPOSE",
        nargs="+",
        choices=_PURPOSES,
        help="what to make keys for: %(choices)s",
    )

    show = _add(actions, "show", _show, "list the keys, without what is secret")
    show.add_argument("--json", action="store_true", help="as JSON")

    rotate = _add(actions, "rotate", _rotate, "make the next key of a purpose its primary")
    rotate.add_argument("purpose", metavar="PURPOSE", help="which: %(choices)s", choices=_PURPOSES)
    rotate.add_argument(
        "--overlap",
        metavar="TIME",
        type=_duration,
        help="how long the key so far still verifies: 90d, 12h, 30m, 0s. Keys of stored data "
        f"({', '.join(_AT_REST)}) open until they are disabled or destroyed, and want none",
    )
    rotate.add_argument("--alg", help="another algorithm than so far")

    for name, run, text in (
        ("disable", _disable, "have a key refuse, until it is enabled again"),
        ("enable", _enable, "have a disabled key open and verify again"),
        ("destroy", _destroy, "forget a key for good: what only it opens is lost"),
    ):
        action = _add(actions, name, run, text)
        action.add_argument("kid", metavar="KEY", help="the id of the key, as `show` lists it")
        if name == "destroy":
            action.add_argument("--yes", action="store_true", help="do not ask")

    _add(actions, "public", _public, "print the public keys, for /.well-known/jwks.json")


def _add(
    actions: Commands, name: str, run: Callable[[argparse.Namespace], None], text: str
) -> argparse.ArgumentParser:
    description = text[0].upper() + text[1:] + "."
    parser = actions.add_parser(name, help=text, description=description)
    parser.add_argument(
        "--keyring",
        metavar="FILE",
        type=Path,
        default=os.environ.get(secret_sources.KEYRING_VARIABLE),
        required=secret_sources.KEYRING_VARIABLE not in os.environ,
        help=f"the keyring (${secret_sources.KEYRING_VARIABLE})",
    )
    parser.set_defaults(run=run)
    return parser


def _generate(options: argparse.Namespace) -> None:
    secrets = [purpose for purpose in options.purposes if purpose != "token"]
    token = "EdDSA" if "token" in options.purposes else None
    keyring = Keyring.generate(token, purposes=secrets)
    path = Path(options.keyring)
    with _locked(path):
        if os.path.lexists(path):
            raise Refused(f"{path} is there already, and its keys may be in use")
        with replacing(path, overwrite=False) as file:
            file.write(keyring.export_secret_jwks().encode())


def _show(options: argparse.Namespace) -> None:
    keys = secret_sources.read_keyring(options.keyring).summary()
    if options.json:
        print(json.dumps(keys, indent=2))
        return
    rows = [("KEY", "PURPOSE", "ALGORITHM", "STATUS", "CREATED", "UNTIL"), *map(_row, keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _row(key: KeySummary) -> tuple[str, ...]:
    return (
        key["kid"] or "-",
        key["purpose"],
        key["alg"] or "-",
        key["status"],
        _day(key["created_s"]),
        _day(key["not_after_s"]),
    )


def _day(moment_s: int | None) -> str:
    if moment_s is None:
        return "-"
    return datetime.fromtimestamp(moment_s, timezone.utc).strftime("%Y-%m-%d %H:%MZ")


def _rotate(options: argparse.Namespace) -> None:
    overlap = options.overlap
    if overlap is None:
        if options.purpose not in _AT_REST:
            raise Refused(f"how long does the {options.purpose} key so far verify? --overlap")
        overlap = 0

    def rotated(keyring: Keyring) -> Keyring:
        alg = options.alg or _first_algorithm(keyring, options.purpose)
        return keyring.rotate(options.purpose, alg=alg, overlap=overlap)

    _change(options.keyring, rotated)


def _disable(options: argparse.Namespace) -> None:
    _change(options.keyring, lambda keyring: keyring.disable(options.kid))


def _enable(options: argparse.Namespace) -> None:
    _change(options.keyring, lambda keyring: keyring.enable(options.kid))


def _destroy(options: argparse.Namespace) -> None:
    if not options.yes:
        _confirm(options.kid)
    _change(options.keyring, lambda keyring: keyring.destroy(options.kid))


def _public(options: argparse.Namespace) -> None:
    print(secret_sources.read_keyring(options.keyring).public_jwks())


def _change(path: Path, change: Callable[[Keyring], Keyring]) -> None:
    """Put a changed keyring in the place of the one in the file, which stays whose it was."""
    path = Path(path).resolve(strict=True)
    with _locked(path):
        keyring = change(secret_sources.read_keyring(path))
        before = path.stat()
        with replacing(path) as file:
            file.write(keyring.export_secret_jwks().encode())
            keep_access(file, path, before)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Have two operators wait for each other: a rotation that was overwritten would lose a key."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # The folder's lock, since the file itself is replaced.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _confirm(kid: str) -> None:
    if not sys.stdin.isatty():
        raise Refused("what only this key opens would be lost: --yes if that is wanted")
    print(f"What only {kid} opens is lost for good. Its id again, to destroy it: ", end="")
    if input() != kid:
        raise Refused("nothing was destroyed")


def _first_algorithm(keyring: Keyring, purpose: str) -> str | None:
    """A keyring that has no key of the purpose yet does not say which algorithm."""
    if any(key["purpose"] == purpose for key in keyring.summary()):
        return None
    return "EdDSA" if purpose == "token" else "HS256"


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError("a number and a unit: 90d, 12h, 30m, 0s")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
