"""Where keys and passphrases come from: never from the arguments."""

from __future__ import annotations

import argparse
import getpass
import os
import stat
import warnings
from pathlib import Path

from donjon import Envelope, Keyring
from donjon._cli.refusal import Refused

KEYRING_VARIABLE = "DONJON_KEYRING"
MASTER_VARIABLE = "DONJON_MASTER"
_LONGEST_PASSPHRASE = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whose keys they are."""
    group = parser.add_argument_group(
        "keys",
        f"If none is given: the keyring at ${KEYRING_VARIABLE}, or the keys of ${MASTER_VARIABLE}.",
    )
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--keyring", metavar="FILE", type=Path, help="a keyring, which only its owner may read"
    )
    _add_passphrase(source, "")
    group.add_argument(
        "--epoch",
        type=int,
        metavar="N",
        help=f"the epoch of ${MASTER_VARIABLE} whose key seals (1)",
    )
    group.add_argument(
        "--oldest",
        type=int,
        metavar="N",
        help=f"the oldest epoch of ${MASTER_VARIABLE} whose key opens (that of --epoch)",
    )


def add_new_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whose keys they become."""
    group = parser.add_argument_group("new keys", "If none is given: the same, as they are now.")
    source = group.add_mutually_exclusive_group()
    source.add_argument("--new-keyring", metavar="FILE", type=Path, help="another keyring")
    _add_passphrase(source, "new-")


def _add_passphrase(source: argparse._MutuallyExclusiveGroup, new: str) -> None:
    source.add_argument(
        f"--{new}passphrase", action="store_true", help="ask for a passphrase at the terminal"
    )
    source.add_argument(
        f"--{new}passphrase-file",
        metavar="FILE",
        type=Path,
        help="a passphrase on one line, in a file which only its owner may read",
    )
    source.add_argument(
        f"--{new}passphrase-fd",
        metavar="N",
        type=int,
        help="a passphrase on one line, from this file descriptor",
    )


def envelope_of(options: argparse.Namespace, *, chosen: bool = False) -> Envelope:
    """Return what the options stand for. A passphrase that is being `chosen` is asked for twice."""
    passphrase = _passphrase(
        options.passphrase, options.passphrase_file, options.passphrase_fd, chosen=chosen
    )
    if passphrase is None:
        return Envelope(_keyring(options))
    memory_mib = getattr(options, "memory_mib", None)
    if memory_mib is None:
        return Envelope.from_passphrase(passphrase)
    return Envelope.from_passphrase(passphrase, memory_kib=1024 * memory_mib)


def new_envelope_of(options: argparse.Namespace) -> Envelope | None:
    """Return what the options for new keys stand for, if they are there."""
    passphrase = _passphrase(
        options.new_passphrase,
        options.new_passphrase_file,
        options.new_passphrase_fd,
        chosen=True,
        what="New passphrase",
    )
    if passphrase is not None:
        return Envelope.from_passphrase(passphrase)
    return Envelope(read_keyring(options.new_keyring)) if options.new_keyring else None


def _keyring(options: argparse.Namespace) -> Keyring:
    path = options.keyring or os.environ.get(KEYRING_VARIABLE)
    if path:
        return read_keyring(Path(path))
    if MASTER_VARIABLE not in os.environ:
        raise Refused(
            "no keys: give --keyring or --passphrase, "
            f"or set {KEYRING_VARIABLE} or {MASTER_VARIABLE}"
        )
    epoch = options.epoch or 1
    oldest = options.oldest or epoch
    return Keyring.from_env(
        MASTER_VARIABLE,
        keys=[{"purpose": "envelope", "alg": "HS256", "epoch": epoch, "oldest": oldest}],
    )


def read_keyring(path: Path) -> Keyring:
    """Return the keyring in a file, unless others than its owner may read that."""
    return Keyring.from_jwks(_read_private(path, 1 << 20))


def _passphrase(
    ask: bool, path: Path | None, descriptor: int | None, *, chosen: bool, what: str = "Passphrase"
) -> bytes | None:
    if ask:
        passphrase = _asked(what, twice=chosen)
    elif path is not None:
        passphrase = _line(_read_private(path, _LONGEST_PASSPHRASE + 2))
        if b"\n" in passphrase:
            raise Refused(f"{path} has more than one line")
    elif descriptor is not None:
        # Whoever writes there may keep it open after the line.
        with os.fdopen(descriptor, "rb") as file:
            passphrase = _line(file.readline(_LONGEST_PASSPHRASE + 2))
    else:
        return None
    if not passphrase:
        raise Refused("the passphrase is empty")
    return passphrase


def _asked(what: str, *, twice: bool) -> bytes:
    with warnings.catch_warnings():
        # Without a terminal, getpass would show what is typed, or take what is being sealed for it.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            passphrase = getpass.getpass(f"{what}: ")
            again = getpass.getpass(f"{what} again: ") if twice else passphrase
        except (getpass.GetPassWarning, EOFError):
            raise Refused(
                "no terminal to ask at: give --passphrase-file or --passphrase-fd"
            ) from None
    if passphrase != again:
        raise Refused("the passphrases differ")
    return passphrase.encode(errors="surrogateescape")


def _line(text: bytes) -> bytes:
    """Return the text without the one end of line that editors and `echo` put there."""
    return text.removesuffix(b"\n").removesuffix(b"\r")


def _read_private(path: Path, longest: int) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Refused(
                f"{path} holds a secret, and others than its owner may use it (mode {mode:04o}): "
                f"chmod 600 {path}"
            )
        return file.read(longest)
