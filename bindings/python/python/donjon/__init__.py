"""donjon: a security kernel that services embed.

    keyring = Keyring.from_env()
    issuer = TokenIssuer(keyring, issuer="https://auth.example", audience="api")
    verifier = TokenVerifier(
        keyring, issuer="https://auth.example", audience="api", type="at+jwt", algorithms=["EdDSA"]
    )
    claims = verifier.verify(issuer.access("ann", permissions=["document:read"]))
    assert claims.subject == "ann"

    hasher = PasswordHasher()
    stored = hasher.hash("correct horse battery staple")
    assert hasher.verify(stored, "correct horse battery staple")

    policy = Policy({"permissions": ["document:read"], "roles": {"viewer": {"allow": ["*"]}}})
    assert policy.subject(["viewer"]).has("document:read")

Further rooms: `donjon.fastapi`, `donjon.jwks` (tokens of other issuers), `donjon.refresh` (families
of refresh tokens), `donjon.compat.jwt` (PyJWT's names), `donjon.compat.argon2` (argon2-cffi's).
"""

from collections.abc import Mapping

from donjon._donjon import (
    JWS,
    Claims,
    Keyring,
    Policy,
    Refresh,
    Subject,
    TokenIssuer,
    TokenVerifier,
    Verification,
    __version__,
    breach_count,
    breach_prefix,
    check_revocation,
    permission_implies,
    sign_token,
    unverified_header,
    verify_jws,
)
from donjon.errors import (
    AlgNotAllowed,
    BadClaimType,
    BadSignature,
    Busy,
    CardinalityExceeded,
    ConfigError,
    DonjonError,
    EntropyUnavailable,
    ExpiredToken,
    InternalError,
    InvalidArgument,
    InvalidAudience,
    InvalidHash,
    InvalidIssuer,
    InvalidPolicy,
    InvalidToken,
    KeyDestroyed,
    KeyDisabled,
    KeyExpired,
    KeyRefused,
    MalformedPassword,
    MalformedToken,
    MissingClaim,
    NotYetValid,
    OutOfMemory,
    ParamsOutOfBounds,
    PasswordError,
    PasswordMismatch,
    PasswordTooLarge,
    PepperRefused,
    PermissionDenied,
    PolicyError,
    PolicyInputRefused,
    RangeRefused,
    ReuseDetected,
    SeparationOfDuty,
    StateStale,
    TokenError,
    TokenRevoked,
    TooLarge,
    UnknownKey,
    UnknownPermission,
    UnknownRole,
    Unsupported,
    UnsupportedCritical,
    UnsupportedHash,
    WrongTokenType,
)
from donjon.passwords import (
    Estimate,
    PasswordHasher,
    Strength,
    check_strength,
    estimate_strength,
)
from donjon.purpose import PurposeTokens

Mapping.register(Claims)

__all__ = [
    "JWS",
    "AlgNotAllowed",
    "BadClaimType",
    "BadSignature",
    "Busy",
    "CardinalityExceeded",
    "Claims",
    "ConfigError",
    "DonjonError",
    "EntropyUnavailable",
    "Estimate",
    "ExpiredToken",
    "InternalError",
    "InvalidArgument",
    "InvalidAudience",
    "InvalidHash",
    "InvalidIssuer",
    "InvalidPolicy",
    "InvalidToken",
    "KeyDestroyed",
    "KeyDisabled",
    "KeyExpired",
    "KeyRefused",
    "Keyring",
    "MalformedPassword",
    "MalformedToken",
    "MissingClaim",
    "NotYetValid",
    "OutOfMemory",
    "ParamsOutOfBounds",
    "PasswordError",
    "PasswordHasher",
    "PasswordMismatch",
    "PasswordTooLarge",
    "PepperRefused",
    "PermissionDenied",
    "Policy",
    "PolicyError",
    "PolicyInputRefused",
    "PurposeTokens",
    "RangeRefused",
    "Refresh",
    "ReuseDetected",
    "SeparationOfDuty",
    "StateStale",
    "Strength",
    "Subject",
    "TokenError",
    "TokenIssuer",
    "TokenRevoked",
    "TokenVerifier",
    "TooLarge",
    "UnknownKey",
    "UnknownPermission",
    "UnknownRole",
    "Unsupported",
    "UnsupportedCritical",
    "UnsupportedHash",
    "Verification",
    "WrongTokenType",
    "__version__",
    "breach_count",
    "breach_prefix",
    "check_revocation",
    "check_strength",
    "estimate_strength",
    "permission_implies",
    "sign_token",
    "unverified_header",
    "verify_jws",
]
