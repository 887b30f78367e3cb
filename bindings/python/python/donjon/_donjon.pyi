"""The extension's types. Semantics are in the docstrings of the extension itself."""

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from datetime import timedelta
from typing import Any, Literal, TypeVar, final, overload

from donjon.types import KeySummary, MasterKey

_T = TypeVar("_T")
_Texts = list[str] | tuple[str, ...] | set[str] | frozenset[str]
_Duration = int | timedelta

__version__: str
STATUSES: list[tuple[int, str, str, int]]

@final
class Keyring:
    @staticmethod
    def generate(token: str = "EdDSA", *, now: int | None = None) -> Keyring: ...
    @staticmethod
    def from_jwks(jwks: str | bytes | dict[str, Any]) -> Keyring: ...
    @staticmethod
    def from_master(master: str | bytes, *, keys: Sequence[MasterKey] | None = None) -> Keyring: ...
    @staticmethod
    def from_env(
        name: str = "DONJON_MASTER", *, keys: Sequence[MasterKey] | None = None
    ) -> Keyring: ...
    @staticmethod
    def from_secret(
        secret: str | bytes, alg: str = "HS256", *, kid: str | None = None
    ) -> Keyring: ...
    @staticmethod
    def from_pem(pem: str | bytes, alg: str, *, kid: str | None = None) -> Keyring: ...
    def add(self, jwk: str | bytes | dict[str, Any]) -> Keyring: ...
    def rotate(
        self,
        purpose: str = "token",
        *,
        alg: str | None = None,
        overlap: _Duration,
        now: int | None = None,
    ) -> Keyring: ...
    def disable(self, kid: str) -> Keyring: ...
    def enable(self, kid: str) -> Keyring: ...
    def destroy(self, kid: str) -> Keyring: ...
    def export_secret_jwks(self) -> str: ...
    def public_jwks(self, *, now: int | None = None) -> str: ...
    def summary(self) -> list[KeySummary]: ...
    def __len__(self) -> int: ...

@final
class Claims(Mapping[str, Any]):
    @property
    def subject(self) -> str | None: ...
    @property
    def issuer(self) -> str | None: ...
    @property
    def audience(self) -> tuple[str, ...]: ...
    @property
    def token_id(self) -> str | None: ...
    @property
    def expires_at(self) -> int | None: ...
    @property
    def not_before(self) -> int | None: ...
    @property
    def issued_at(self) -> int | None: ...
    @property
    def permissions(self) -> tuple[str, ...]: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def family(self) -> str | None: ...
    @property
    def generation(self) -> int | None: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __getitem__(self, name: str, /) -> Any: ...
    @overload
    def get(self, name: str, /) -> Any | None: ...
    @overload
    def get(self, name: str, default: _T, /) -> Any | _T: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def keys(self) -> KeysView[str]: ...
    def values(self) -> ValuesView[Any]: ...
    def items(self) -> ItemsView[str, Any]: ...

@final
class TokenVerifier:
    def __new__(
        cls,
        keyring: Keyring,
        *,
        issuer: str | None,
        audience: str | _Texts | None,
        type: str | None,
        algorithms: _Texts,
        leeway: _Duration = 0,
        require: _Texts | None = None,
        require_expiry: bool = True,
        legacy_type_claim: str | None = None,
    ) -> TokenVerifier: ...
    @staticmethod
    def from_config(keyring: Keyring, config: str | bytes) -> TokenVerifier: ...
    def verify(self, token: str | bytes, *, now: int | None = None) -> Claims: ...

@final
class Refresh:
    @property
    def token(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def state(self) -> bytes: ...
    @property
    def changed(self) -> bool: ...

@final
class TokenIssuer:
    def __new__(
        cls,
        keyring: Keyring,
        *,
        issuer: str | None,
        audience: str | _Texts | None,
        access_ttl: _Duration = 1800,
        refresh_ttl: _Duration = 604800,
    ) -> TokenIssuer: ...
    def access(
        self,
        subject: str,
        *,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: dict[str, Any] | None = None,
        ttl: _Duration | None = None,
        revoked_since: int | None = None,
        now: int | None = None,
    ) -> str: ...
    def begin_refresh(
        self,
        subject: str,
        *,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: dict[str, Any] | None = None,
        ttl: _Duration | None = None,
        revoked_since: int | None = None,
        now: int | None = None,
    ) -> Refresh: ...
    def rotate_refresh(
        self,
        used: Claims,
        state: bytes | None,
        *,
        grace: _Duration = 10,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: dict[str, Any] | None = None,
        ttl: _Duration | None = None,
        revoked_since: int | None = None,
        now: int | None = None,
    ) -> Refresh: ...

class PurposeTokens:
    def __new__(cls, keyring: Keyring) -> PurposeTokens: ...
    def mint(
        self,
        purpose: str,
        subject: str,
        *,
        state: str | bytes,
        ttl: _Duration,
        now: int | None = None,
    ) -> str: ...
    def check(
        self,
        token: str | bytes,
        purpose: str,
        subject: str,
        *,
        state: str | bytes,
        now: int | None = None,
    ) -> None: ...

@final
class RefreshVerdict:
    @property
    def status(self) -> Literal["ok", "reuse_detected", "revoked", "state_stale"]: ...
    @property
    def changed(self) -> bool: ...
    @property
    def state(self) -> bytes: ...

def begin(*, now: int | None = None) -> bytes: ...
def rotate(
    state: bytes | None, family: str, generation: int, *, now_ms: int, grace_ms: int
) -> RefreshVerdict: ...
def revoke(state: bytes) -> bytes: ...
def check_revocation(
    issued_at: int | None,
    *,
    store_since: int | None,
    subject_since: int | None = None,
    token_revoked: bool = False,
    family_revoked: bool = False,
    key_revoked: bool = False,
    skew: _Duration = 2,
) -> None: ...

@final
class JWKSVerdict:
    @property
    def fetch(self) -> bool: ...
    @property
    def retry_after_ms(self) -> int: ...
    @property
    def state(self) -> bytes: ...

def jwks_refresh(
    state: bytes | None,
    event: Literal["unknown_key", "periodic", "fetched", "failed"],
    *,
    now_ms: int,
    cooldown_ms: int,
    max_age_ms: int,
) -> JWKSVerdict: ...

@final
class JWS:
    @property
    def payload(self) -> bytes: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def key_id(self) -> str | None: ...

def verify_jws(
    keyring: Keyring, jws: str | bytes, *, algorithms: _Texts, now: int | None = None
) -> JWS: ...
def sign_token(
    keyring: Keyring,
    claims: dict[str, Any] | str | bytes,
    *,
    key_id: str | None = None,
    type: str | None = None,
) -> str: ...
def unverified_header(token: str | bytes) -> dict[str, Any]: ...
def verify_jws_of_config(
    keyring: Keyring, jws: str | bytes, algorithms: str | bytes, *, now: int | None = None
) -> JWS: ...

# Only in builds with the feature `test-entropy`.
def test_entropy(entropy: bytes | None) -> None: ...
