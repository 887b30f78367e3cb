"""A column, a file and a setting are sealed: read, moved, found, rotated, and forgotten."""

from __future__ import annotations

from pathlib import Path

from donjon import DonjonError, Envelope, erasure

from chapters.imports import OWNER
from chapters.log_in import log_in
from vault import GATEWAY, Vault, rights_of
from walk import Walk

ANN, CLEO = "+49 30 901820", "+49 40 428280"
BACKUP = ("--context", "backups", "--context", "1")


def tell(walk: Walk) -> None:
    """Walk through it."""
    vault = walk.services.vault
    tokens = {name: log_in(walk, name)["access_token"] for name in ("ann", "cleo")}
    olga: str = log_in(walk, "olga", OWNER)["access_token"]

    setting(walk, vault)
    store(walk, vault, tokens)
    move(walk, vault, tokens)
    find(walk, olga)
    backup = back_up(walk, vault)
    alive = forget(walk, vault, backup, olga, tokens["cleo"])
    rotate(walk, vault, backup, alive, tokens["ann"])


def setting(walk: Walk, vault: Vault) -> None:
    """The environment has no password in it."""
    sealed = vault.environment["SMS_GATEWAY"]
    note = "opened when the service starts"
    hidden = sealed.startswith("sealed:") and GATEWAY not in walk.services.python.read_log()
    walk.expect("a password in the environment is sealed", note=note, holds=hidden)
    walk.show(f"SMS_GATEWAY={sealed[:60]}…")


def store(walk: Walk, vault: Vault, tokens: dict[str, str]) -> None:
    """What goes into the database is not what lies in it."""
    python, go = walk.services.both()
    for name, phone in (("ann", ANN), ("cleo", CLEO)):
        put = walk.ask(python, "PUT", "/me/phone", bearer=tokens[name], json={"phone": phone})
        greeted = f"text message to {name} by demo at sms.example" in put.log
        note = "greeted, by the opened setting"
        walk.expect(f"{name} leaves a number, {phone}", put, status=204, note=note, holds=greeted)
    read = walk.get("/me/phone", bearer=tokens["ann"])
    walk.expect("ann reads it", read, note=read["phone"], holds=read["phone"] == ANN)

    raw = vault.database.read_bytes()
    leaks = [text for text in (ANN, CLEO, "901820", "428280") if text.encode() in raw]
    note = f"{len(raw):,} bytes, none of them hers"
    walk.expect("look for it in the database's file", note=note, holds=not leaks)
    walk.show(dump(vault.cell("ann")))

    same = walk.ask(go, "POST", "/me/phone", bearer=tokens["ann"], json=vault.row("ann"))
    note = "the same bytes, another language"
    walk.expect("the Go service opens the same cell", same, note=note, holds=same["phone"] == ANN)


def move(walk: Walk, vault: Vault, tokens: dict[str, str]) -> None:
    """A cell opens where it was put, and nowhere else."""
    go = walk.services.go
    mine = vault.cell("cleo")
    vault.put_cell("cleo", vault.cell("ann"))
    moved = walk.get("/me/phone", bearer=tokens["cleo"])
    also = walk.ask(go, "POST", "/me/phone", bearer=tokens["cleo"], json=vault.row("cleo"))
    what = "somebody copies ann's cell into cleo's row"
    walk.expect(what, moved, also, status=500, reason="decrypt_failed")
    vault.put_cell("cleo", mine)
    back = walk.get("/me/phone", bearer=tokens["cleo"])
    walk.expect("and puts cleo's back", back, holds=back["phone"] == CLEO)


def find(walk: Walk, olga: str) -> None:
    """Equality is found without a key to open anything."""
    found = walk.get("/contacts?phone=%2B49-30-90-18-20", bearer=olga)
    note = "by a blind index"
    holds = found.text == '["ann"]'
    walk.expect("olga asks who has +49-30-90-18-20", found, note=note, holds=holds)


def back_up(walk: Walk, vault: Vault) -> Path:
    """A file is sealed as a cell is."""
    backup = vault.database.with_name("backup.sealed")
    keyring = ("--keyring", f"{vault.keyring_file}")
    vault.donjon("seal", *keyring, *BACKUP, f"{vault.database}", "--output", f"{backup}")
    raw = backup.read_bytes()
    private = rights_of(backup) == "0600"
    note = "python -m donjon seal"
    holds = raw.startswith(b"DJN1") and b"SQLite" not in raw and private
    walk.expect("the operator seals a backup of the database", note=note, holds=holds)
    return backup


def forget(walk: Walk, vault: Vault, backup: Path, olga: str, cleo: str) -> tuple[str, ...]:
    """Shredding a key does not reach into the backup, and nobody says that it did."""
    python = walk.services.python
    shredded = walk.ask(python, "DELETE", "/contacts/cleo", bearer=olga)
    alive = tuple(shredded["alive"])
    holds = not shredded["erased"] and alive == (vault.primary(),)
    note = f"erased: {shredded['erased']}"
    walk.expect("cleo is forgotten: row and data key deleted", shredded, note=note, holds=holds)
    walk.show(f"alive, and able to open a backup: {' '.join(alive)}")
    gone = walk.get("/me/phone", bearer=cleo)
    walk.expect("cleo looks for her number", gone, status=404)
    opened = open_in_backup(vault, backup, "cleo")
    walk.expect("but in the restored backup it opens", note=opened, holds=opened == CLEO)
    return alive


def rotate(walk: Walk, vault: Vault, backup: Path, alive: tuple[str, ...], ann: str) -> None:
    """Another key wraps; the old one is destroyed, and with it what only it opened."""
    cell, data_key = vault.cell("ann"), vault.data_key("ann")
    keyring = ("--keyring", f"{vault.keyring_file}")
    vault.donjon("keyring", "rotate", *keyring, "envelope")
    said = walk.services.replace_keyring()
    same = vault.cell("ann") == cell and vault.data_key("ann") != data_key
    holds = same and said[0].endswith("wrapped anew: 1")
    walk.expect("the keyring is rotated, while both serve", note="cells stay", holds=holds)
    vault.donjon("rewrap", *keyring, "--quiet", f"{backup}")
    read = walk.get("/me/phone", bearer=ann)
    walk.expect("ann reads her number", read, holds=read["phone"] == ANN)

    vault.donjon("keyring", "destroy", *keyring, "--yes", *alive)
    walk.services.replace_keyring()
    row = vault.row("ann")
    also = walk.ask(walk.services.go, "POST", "/me/phone", bearer=ann, json=row)
    read = walk.get("/me/phone", bearer=ann)
    holds = read["phone"] == also["phone"] == ANN
    walk.expect("the old key is destroyed: ann reads on", read, also, holds=holds)
    refused = open_in_backup(vault, backup, "cleo")
    what = "the restored backup has cleo's cell, and no key"
    walk.expect(what, note=refused, holds=refused == "key_destroyed")
    after = erasure(vault.keyring, alive)
    walk.expect("cleo is forgotten", note=f"erased by {after.by}", holds=after.erased)


def open_in_backup(vault: Vault, backup: Path, name: str) -> str:
    """Restore a backup elsewhere, and return somebody's number in it, or why not."""
    restored = backup.with_suffix(".restored")
    keyring = ("--keyring", f"{vault.keyring_file}", "--quiet")
    vault.donjon("open", *keyring, *BACKUP, f"{backup}", "--output", f"{restored}", "--force")
    stored, cell = vault.data_key(name, restored), vault.cell(name, restored)
    try:
        key = Envelope(vault.keyring).open_data_key(stored, name)
        return key.open(cell, context=(name, "contacts", "phone", name)).decode()
    except DonjonError as refusal:
        return refusal.reason


def dump(cell: bytes) -> str:
    """Show the bytes of a cell, as `xxd` does."""
    lines = []
    for at in range(0, len(cell), 16):
        piece = cell[at : at + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        lines.append(f"{piece.hex(' ', 2):<39}  {shown}")
    return "\n".join(lines)
