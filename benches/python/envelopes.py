"""Sealing and opening: a cell of a column, a megabyte, a file."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import donjon
import tink
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from race import report, report_bytes
from tink import aead

ROW = str(uuid.uuid4())
MIB = 1 << 20
RESIDENT_WANTED = 32 * MIB
PIECE = MIB
SEAL_FILE = Path(__file__).resolve().parents[2] / "tests" / "load" / "seal_file.py"

Seal = Callable[[bytes], bytes]
Open = Callable[[bytes], bytes]


def measure() -> None:
    envelope = donjon.Envelope(donjon.Keyring.generate(None, purposes=["envelope"]))
    data_key, _ = envelope.new_data_key("tenant")
    sides = peers()
    for size, name in ((64, "64 B cell"), (1024, "1 KiB cell")):
        compare(name, data_key, sides, size, 0.25 if size == 64 else None)
    # The bare AEAD first: it is the one to be held against, and Fernet takes 20 times as long.
    order = ("cryptography AESGCM", "cryptography Cobblestone256", "tink AES256_GCM")
    compare("1 MiB", envelope, {name: sides[name] for name in order}, MIB, 1.0)
    compare_files(envelope)


def peers() -> dict[str, tuple[Seal, Open]]:
    """Keys made once, and the context as bytes, put together for each call as ours is."""
    key = AESGCM.generate_key(256)
    fernet = Fernet(base64.urlsafe_b64encode(key))
    gcm = AESGCM(key)
    aead.register()
    primitive = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)

    def gcm_seal(plaintext: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + gcm.encrypt(nonce, plaintext, place())

    def gcm_open(sealed: bytes) -> bytes:
        return gcm.decrypt(sealed[:12], sealed[12:], place())

    def cobblestone_seal(plaintext: bytes) -> bytes:
        encryptor = Cobblestone256Encryptor(key, place())
        return encryptor.update(plaintext) + encryptor.finalize()

    def cobblestone_open(message: bytes) -> bytes:
        decryptor = Cobblestone256Decryptor(key, place())
        return decryptor.update(message) + decryptor.finalize()

    return {
        # It has no context to bind.
        "cryptography Fernet": (fernet.encrypt, fernet.decrypt),
        "cryptography AESGCM": (gcm_seal, gcm_open),
        "cryptography Cobblestone256": (cobblestone_seal, cobblestone_open),
        "tink AES256_GCM": (
            lambda plaintext: primitive.encrypt(plaintext, place()),
            lambda sealed: primitive.decrypt(sealed, place()),
        ),
    }


def place() -> bytes:
    return f"users\0email\0{ROW}".encode()


def compare(
    name: str,
    sealer: donjon.Envelope | donjon.DataKey,
    sides: dict[str, tuple[Seal, Open]],
    size: int,
    wanted: float | None,
) -> None:
    plaintext = os.urandom(size)

    def ours_seal() -> bytes:
        return sealer.seal(plaintext, context=("users", "email", ROW))

    ours = ours_seal()
    theirs = {peer: seal(plaintext) for peer, (seal, _) in sides.items()}

    def ours_open() -> bytes:
        return sealer.open(ours, context=("users", "email", ROW))

    # All of them open what they sealed, and none seals the same twice.
    assert ours_open() == plaintext
    assert ours_seal() != ours
    for peer, (seal, open_) in sides.items():
        assert open_(theirs[peer]) == plaintext
        assert seal(plaintext) != theirs[peer]

    def sealing(seal: Seal) -> Callable[[], bytes]:
        return lambda: seal(plaintext)

    def opening(open_: Open, sealed: bytes) -> Callable[[], bytes]:
        return lambda: open_(sealed)

    report(
        f"envelopes {name} seal",
        ours_seal,
        {peer: sealing(seal) for peer, (seal, _) in sides.items()},
        wanted,
    )
    report(
        f"envelopes {name} open",
        ours_open,
        {peer: opening(open_, theirs[peer]) for peer, (_, open_) in sides.items()},
        wanted if size == MIB else None,
    )


def compare_files(envelope: donjon.Envelope) -> None:
    """From and to memory, so that no disk is measured, beside OpenSSL's AES-GCM in pieces as long."""
    with memory_folder() as (folder, size, name):
        plain, sealed, opened = (folder / each for each in ("plain", "sealed", "opened"))
        with plain.open("wb") as file:
            for _ in range(size // MIB):
                file.write(bytes(MIB))
        key = os.urandom(32)

        def ours_seal() -> None:
            envelope.seal_file(plain, sealed, context=("reports", "42"))

        def ours_open() -> None:
            envelope.open_file(sealed, opened, context=("reports", "42"))

        ours_seal()
        ours_open()
        assert opened.stat().st_size == size
        theirs = folder / "openssl"
        report(
            f"envelopes {name} file seal",
            ours_seal,
            {"cryptography Cipher(AES, GCM)": lambda: gcm_file(key, plain, theirs)},
        )
        opened.unlink()
        theirs.unlink()
        grown = grown_by(folder, size // MIB)
    report_bytes(f"envelopes {name} file, growth", grown, "32 MiB", RESIDENT_WANTED)


def gcm_file(key: bytes, source: Path, target: Path) -> None:
    """One message of AES-GCM, which nobody may read before its end: no chunks, and nothing synced."""
    nonce = os.urandom(12)
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(place())
    with source.open("rb") as file, target.open("wb") as out:
        out.write(nonce)
        while piece := file.read(PIECE):
            out.write(encryptor.update(piece))
        out.write(encryptor.finalize() + encryptor.tag)


@contextmanager
def memory_folder() -> Iterator[tuple[Path, int, str]]:
    """A folder in memory where there is one, and how long a file it has room for."""
    shared_memory = Path("/dev/shm")
    parent = shared_memory if shared_memory.is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        if shutil.disk_usage(folder).free > 5 << 30:
            yield Path(folder), 1 << 30, "1 GiB"
        else:
            yield Path(folder), 256 * MIB, "256 MiB"


def grown_by(folder: Path, mib: int) -> int:
    """By how many bytes a process of its own grows that seals and opens a file."""
    command = [sys.executable, SEAL_FILE, "--mib", str(mib), "--folder", folder]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    return json.loads(output)["grown_bytes"]
