"""The passwords of this service: which are good enough, and what is stored of them."""

from __future__ import annotations

from donjon import Keyring, PasswordHasher, breach_count, breach_prefix, check_strength

from breaches import breached_range


class NotGoodEnough(Exception):
    """A password that nobody should choose. Who chose it is told why."""

    def __init__(self, checks: dict[str, bool], feedback: list[str]) -> None:
        super().__init__(", ".join(name for name, passed in checks.items() if not passed))
        self.checks = checks
        self.feedback = feedback


class Passwords:
    """Argon2id under a pepper, with 64 MiB each and 256 MiB for all that are hashed at once.

    The pepper is derived from the master secret, so the database alone is worth nothing. Every
    stored hash names its pepper, and those of all epochs verify: a rotation locks nobody out, and
    each log-in after it moves one hash to the new pepper.
    """

    def __init__(self) -> None:
        self._epoch = 1  # a real service reads it from its configuration
        self._hasher = hasher(self._epoch)

    def rotate_pepper(self) -> None:
        """Hash with the next pepper from now on."""
        self._epoch += 1
        last, self._hasher = self._hasher, hasher(self._epoch)
        last.close()

    async def hash(self, password: str) -> str:
        """Return what to store for a password."""
        return await self._hasher.ahash(password)

    async def verify(self, stored: str | None, password: str) -> str | None:
        """Return if the password is right, with what to store instead if that is another hash.

        A name that nobody has, `None`, takes as long to refuse, and is refused likewise.
        """
        _, newer = await self._hasher.averify_and_update(stored, password)
        return newer

    async def require_good(self, password: str, name: str) -> None:
        """Raise if a password is weak, common, made of its user's name, or known from a breach."""
        found = check_strength(password, [name])
        checks, feedback = dict(found.checks), list(found.feedback)
        if found.valid:
            # Five digits of a hash are all that leaves this process.
            range_ = await breached_range(breach_prefix(password))
            checks["breached"] = breach_count(password, range_) == 0
            if not checks["breached"]:
                feedback.append("It is known from a breach: choose another.")
        if not all(checks.values()):
            raise NotGoodEnough(checks, feedback)


def hasher(epoch: int) -> PasswordHasher:
    """Return a hasher with the peppers of all epochs, which also verifies what was imported."""
    peppers = Keyring.from_env(
        keys=[{"purpose": "password-pepper", "alg": "HS256", "epoch": epoch, "oldest": 1}]
    )
    return PasswordHasher(pepper=peppers, legacy=["bcrypt", "pbkdf2"])
