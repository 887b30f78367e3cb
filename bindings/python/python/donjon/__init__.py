"""donjon: a security kernel that services embed.

    keyring = Keyring.from_env()
    issuer = TokenIssuer(keyring, issuer="https://auth.example", audience="api")
    verifier = TokenVerifier(
        keyring, issuer="https://auth.example", audience="api", type="at+jwt", algorithms=["EdDSA"]
    )
    claims = verifier.verify(issuer.access("ann", permissions=["document:read"]))
    assert claims.subject == "ann"

Further rooms: `donjon.fastapi`, `donjon.jwks` (tokens of other issuers), `donjon.refresh` (families
of refresh tokens), `donjon.compat.jwt` (PyJWT's names).
"""

from collections.abc import Mapping

from donjon._donjon import (
    JWS,
    Claims,
    Keyring,
    Refresh,
    TokenIssuer,
    TokenVerifier,
    __version__,
    check_revocation,
    sign_token,
    unverified_header,
    verify_jws,
)
from donjon.errors import (
    AlgNotAllowed,
    BadClaimType,
    BadSignature,
    ConfigError,
    DonjonError,
    EntropyUnavailable,
    ExpiredToken,
    InternalError,
    InvalidArgument,
    InvalidAudience,
    InvalidIssuer,
    InvalidToken,
    KeyDestroyed,
    KeyDisabled,
    KeyExpired,
    KeyRefused,
    MalformedToken,
    MissingClaim,
    NotYetValid,
    OutOfMemory,
    ReuseDetected,
    StateStale,
    TokenError,
    TokenRevoked,
    TooLarge,
    UnknownKey,
    Unsupported,
    UnsupportedCritical,
    WrongTokenType,
)
from donjon.purpose import PurposeTokens

Mapping.register(Claims)

__all__ = [
    "JWS",
    "AlgNotAllowed",
    "BadClaimType",
    "BadSignature",
    "Claims",
    "ConfigError",
    "DonjonError",
    "EntropyUnavailable",
    "ExpiredToken",
    "InternalError",
    "InvalidArgument",
    "InvalidAudience",
    "InvalidIssuer",
    "InvalidToken",
    "KeyDestroyed",
    "KeyDisabled",
    "KeyExpired",
    "KeyRefused",
    "Keyring",
    "MalformedToken",
    "MissingClaim",
    "NotYetValid",
    "OutOfMemory",
    "PurposeTokens",
    "Refresh",
    "ReuseDetected",
    "StateStale",
    "TokenError",
    "TokenIssuer",
    "TokenRevoked",
    "TokenVerifier",
    "TooLarge",
    "UnknownKey",
    "Unsupported",
    "UnsupportedCritical",
    "WrongTokenType",
    "__version__",
    "check_revocation",
    "sign_token",
    "unverified_header",
    "verify_jws",
]
