"""FastAPI: who is asking, by bearer token or session cookie, whether they may, and how often.

    auth = BearerAuth(verifier)
    may = Authorizer(auth, policy)
    may.install(app)
    app.include_router(jwks_router(lambda: keys.current))

    @app.get("/me")
    def me(user: Annotated[Claims, Depends(auth.current_user)]) -> str: ...

    @app.get("/documents/{document_id}", dependencies=[Depends(may.require("document:read"))])
    def read(document_id: int) -> str: ...

    limiter = Limiter(default_limits=["100/minute"])
    limiter.install(app)

    @app.post("/login")
    @limiter.limit("5/minute")
    def login() -> str: ...

    sessions = SessionAuth(AsyncSessionManager(keyring, store))
    sessions.install(app)
    app.include_router(login_router(sessions, authenticate))
    app.include_router(session_router(sessions))
    app.include_router(token_router(sessions.manager, issuer, refresh_verifier))

    @app.get("/inbox")
    def inbox(session: Annotated[Session, Depends(sessions.current_session)]) -> str: ...

Tokens that were revoked are refused by a check: `BearerAuth(verifier, check=revocations.check)`,
of an `AsyncRevocations`, or of an `AsyncRevocationSetClient` for what `revocation_set_router`
publishes elsewhere. `donjon.fastapi.session_auth` has the whole of what happens to a cookie.

A refusal is a 401, or a 403, with `WWW-Authenticate` and a body that tells nothing; why is in the
log of `donjon.fastapi`. To rotate keys while the service runs, assign another verifier to
`auth.verifier`; to change who may do what, another policy to `may.policy`.
"""

from donjon.fastapi.authorizer import Authorizer
from donjon.fastapi.bearer import BearerAuth, Verifier, jwks_router
from donjon.fastapi.client_address import ClientAddress
from donjon.fastapi.limit_middleware import LimitMiddleware
from donjon.fastapi.limiter import Limiter, RateLimitExceeded, get_remote_address
from donjon.fastapi.login_routes import Credentials, login_router
from donjon.fastapi.rate_limit import RateLimit
from donjon.fastapi.revocation_sets import revocation_set_router
from donjon.fastapi.session_auth import SessionAuth
from donjon.fastapi.session_middleware import SessionMiddleware
from donjon.fastapi.session_routes import session_router
from donjon.fastapi.token_routes import TokenAnswer, token_router

__all__ = [
    "Authorizer",
    "BearerAuth",
    "ClientAddress",
    "Credentials",
    "LimitMiddleware",
    "Limiter",
    "RateLimit",
    "RateLimitExceeded",
    "SessionAuth",
    "SessionMiddleware",
    "TokenAnswer",
    "Verifier",
    "get_remote_address",
    "jwks_router",
    "login_router",
    "revocation_set_router",
    "session_router",
    "token_router",
]
