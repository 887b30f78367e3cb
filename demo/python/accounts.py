"""Accounts, in this process: names, password hashes, and roles."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from donjon import Policy

from passwords import Passwords

# What was exported from the services before this one: bcrypt of one, Django's PBKDF2 of the other.
IMPORTED = Path(__file__).resolve().parent / "imported.json"

FIRST_ROLES = ("guest",)

log = logging.getLogger("demo")


class NameTaken(Exception):
    """There is such an account already."""


class NoSuchAccount(Exception):
    """There is no such account."""


@dataclass(frozen=True)
class Account:
    """One account, as a row of a database in real life."""

    password_hash: str
    roles: tuple[str, ...] = FIRST_ROLES


class Accounts:
    """Accounts by name. Each change is atomic, and made only of what was read."""

    def __init__(self, passwords: Passwords) -> None:
        imported = json.loads(IMPORTED.read_text(encoding="utf-8"))
        self._passwords = passwords
        self._accounts = {
            name: Account(row["password_hash"], tuple(row["roles"]))
            for name, row in imported.items()
        }
        self._lock = Lock()

    async def register(self, name: str, password: str) -> None:
        """Open an account."""
        if name in self._accounts:
            raise NameTaken
        account = Account(await self._passwords.hash(password))
        with self._lock:
            if self._accounts.setdefault(name, account) is not account:
                raise NameTaken

    async def authenticate(self, name: str, password: str) -> None:
        """Return if this is the account's password, and raise `PasswordMismatch` if it is not.

        If there is no such account, that takes as long, and is a `PasswordMismatch` too.
        """
        stored = self.password_hash(name)
        newer = await self._passwords.verify(stored, password)
        if stored and newer and self._swap(name, stored, newer):
            log.info("password of %s hashed anew", name)

    def password_hash(self, name: str) -> str | None:
        """Return what a password reset is bound to."""
        account = self._accounts.get(name)
        return account.password_hash if account else None

    async def change_password(self, name: str, stored: str, password: str) -> bool:
        """Compare and swap: set the password if its hash is still the stored one."""
        return self._swap(name, stored, await self._passwords.hash(password))

    def roles(self, name: str) -> tuple[str, ...]:
        """Return the roles of an account."""
        try:
            return self._accounts[name].roles
        except KeyError:
            raise NoSuchAccount from None

    def grant(self, name: str, role: str, policy: Policy) -> None:
        """Give an account a role, if the policy lets it have that besides what it has."""

        def granted(account: Account) -> Account:
            members = sum(role in other.roles for other in self._accounts.values())
            policy.assign(account.roles, role, members=members)
            return replace(account, roles=tuple(dict.fromkeys([*account.roles, role])))

        self._update(name, granted)

    def _swap(self, name: str, stored: str, new: str) -> bool:
        with self._lock:
            account = self._accounts[name]
            if account.password_hash != stored:
                return False
            self._accounts[name] = replace(account, password_hash=new)
            return True

    def _update(self, name: str, change: Callable[[Account], Account]) -> None:
        # Under one lock, so that what was counted is still so when it is stored.
        with self._lock:
            if name not in self._accounts:
                raise NoSuchAccount
            self._accounts[name] = change(self._accounts[name])
