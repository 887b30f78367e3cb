"""FastAPI: who is asking, from the bearer token of the request, and whether they may.

    auth = BearerAuth(verifier)
    may = Authorizer(auth, policy)
    may.install(app)
    app.include_router(jwks_router(lambda: keys.current))

    @app.get("/me")
    def me(user: Annotated[Claims, Depends(auth.current_user)]) -> str: ...

    @app.get("/documents/{document_id}", dependencies=[Depends(may.require("document:read"))])
    def read(document_id: int) -> str: ...

A refusal is a 401, or a 403, with `WWW-Authenticate` and a body that tells nothing; why is in the
log of `donjon.fastapi`. To rotate keys while the service runs, assign another verifier to
`auth.verifier`; to change who may do what, another policy to `may.policy`.
"""

from donjon.fastapi.authorizer import Authorizer
from donjon.fastapi.bearer import BearerAuth, Verifier, jwks_router

__all__ = ["Authorizer", "BearerAuth", "Verifier", "jwks_router"]
