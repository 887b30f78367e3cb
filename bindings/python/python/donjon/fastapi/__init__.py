"""FastAPI: who is asking, from the bearer token of the request, whether they may, and how often.

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

A refusal is a 401, or a 403, with `WWW-Authenticate` and a body that tells nothing; why is in the
log of `donjon.fastapi`. To rotate keys while the service runs, assign another verifier to
`auth.verifier`; to change who may do what, another policy to `may.policy`.
"""

from donjon.fastapi.authorizer import Authorizer
from donjon.fastapi.bearer import BearerAuth, Verifier, jwks_router
from donjon.fastapi.client_address import ClientAddress
from donjon.fastapi.limit_middleware import LimitMiddleware
from donjon.fastapi.limiter import Limiter, RateLimitExceeded, get_remote_address
from donjon.fastapi.rate_limit import RateLimit

__all__ = [
    "Authorizer",
    "BearerAuth",
    "ClientAddress",
    "LimitMiddleware",
    "Limiter",
    "RateLimit",
    "RateLimitExceeded",
    "Verifier",
    "get_remote_address",
    "jwks_router",
]
