"""FastAPI services: who is asking, and what a refusal tells."""

import logging
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient, Response

import donjon
from conftest import AUDIENCE, ISSUER
from donjon import Claims, Keyring, TokenIssuer, TokenRevoked, TokenVerifier
from donjon.fastapi import BearerAuth, jwks_router

pytestmark = pytest.mark.anyio


class Service:
    """A service whose signing key can be rotated while it runs."""

    def __init__(self) -> None:
        self.revoked: set[str | None] = set()
        self.use(Keyring.generate())
        self.auth = BearerAuth(self.verifier, check=self.check)
        self.app = FastAPI()
        self.app.include_router(jwks_router(lambda: self.keyring))
        auth = self.auth

        @self.app.get("/me")
        def me(user: Annotated[Claims, Depends(auth.current_user)]) -> str | None:
            return user.subject

        @self.app.get("/greeting")
        async def greeting(user: Annotated[Claims | None, Depends(auth.optional_user)]) -> str:
            return f"hello {user.subject if user else 'stranger'}"

    def use(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.issuer = TokenIssuer(keyring, issuer=ISSUER, audience=AUDIENCE)
        self.verifier = TokenVerifier(
            keyring, issuer=ISSUER, audience=AUDIENCE, type="at+jwt", algorithms=["EdDSA"]
        )

    def check(self, claims: Claims) -> None:
        if claims.token_id in self.revoked:
            raise TokenRevoked

    async def get(self, path: str, *authorization: str) -> Response:
        headers = [(b"Authorization", value.encode()) for value in authorization]
        async with AsyncClient(
            transport=ASGITransport(self.app), base_url="http://service"
        ) as client:
            return await client.get(path, headers=headers)


@pytest.fixture
def service() -> Service:
    return Service()


def refused(response: Response, challenge: str) -> None:
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == challenge
    assert response.json() == {"detail": "Not authenticated"}


async def test_a_token_says_who_is_asking(service: Service) -> None:
    token = service.issuer.access("ann")
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await service.get("/me", f"{scheme} {token}")).json() == "ann"
    assert (await service.get("/greeting", f"Bearer {token}")).json() == "hello ann"


async def test_without_a_token_there_is_nobody(service: Service) -> None:
    refused(await service.get("/me"), "Bearer")
    refused(await service.get("/me", "Basic YW5uOmFubg=="), "Bearer")
    assert (await service.get("/greeting")).json() == "hello stranger"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "Bearer x", " "])
async def test_a_bad_token_is_refused_even_where_none_is_needed(
    service: Service, token: str
) -> None:
    for path in ("/me", "/greeting"):
        response = await service.get(path, f"Bearer {token}")
        refused(response, 'Bearer error="invalid_token"')


async def test_every_refusal_looks_the_same_and_the_log_says_why(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    expired = service.issuer.access("ann", now=1)
    refresh = service.issuer.begin_refresh("ann").token
    forged = Service().issuer.access("ann")
    with caplog.at_level(logging.INFO, "donjon.fastapi"):
        responses = [await service.get("/me", f"Bearer {t}") for t in (expired, refresh, forged)]
    assert len({(r.status_code, r.content, r.headers["www-authenticate"]) for r in responses}) == 1
    reasons = [record.getMessage().removeprefix("token refused: ") for record in caplog.records]
    assert reasons == ["expired", "wrong_token_type", "unknown_key"]
    assert not any(t in caplog.text for t in (expired, refresh, forged))


async def test_two_headers_are_one_too_many(service: Service) -> None:
    token = f"Bearer {service.issuer.access('ann')}"
    refused(await service.get("/greeting", token, token), 'Bearer error="invalid_request"')


async def test_a_check_can_revoke(service: Service) -> None:
    token = service.issuer.access("ann")
    service.revoked.add(service.verifier.verify(token).token_id)
    refused(await service.get("/me", f"Bearer {token}"), 'Bearer error="invalid_token"')

    async def slow_check(claims: Claims) -> None:
        service.check(claims)

    service.auth.check = slow_check
    refused(await service.get("/me", f"Bearer {token}"), 'Bearer error="invalid_token"')


async def test_keys_rotate_while_the_service_runs(service: Service) -> None:
    before = service.issuer.access("ann")
    published = (await service.get("/.well-known/jwks.json")).json()
    service.use(service.keyring.rotate(overlap=3600))
    service.auth.verifier = service.verifier
    after = service.issuer.access("ann")
    assert donjon.unverified_header(before)["kid"] != donjon.unverified_header(after)["kid"]
    for token in (before, after):
        assert (await service.get("/me", f"Bearer {token}")).json() == "ann"
    assert (await service.get("/.well-known/jwks.json")).json() != published


async def test_public_keys_are_published(service: Service) -> None:
    response = await service.get("/.well-known/jwks.json")
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert response.headers["cache-control"] == "public, max-age=300"
    assert response.text == service.keyring.public_jwks()
    assert '"d"' not in response.text


async def test_openapi_names_the_scheme(service: Service) -> None:
    document = (await service.get("/openapi.json")).json()
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    assert document["components"]["securitySchemes"] == {"bearer": scheme}
    assert document["paths"]["/me"]["get"]["security"] == [{"bearer": []}]


async def test_a_verifier_may_be_asynchronous(service: Service) -> None:
    class Remote:
        async def verify(self, token: str, /) -> Claims:
            return service.verifier.verify(token)

    service.auth.verifier = Remote()
    assert (await service.get("/me", f"Bearer {service.issuer.access('ann')}")).json() == "ann"


async def test_no_verdict_is_not_the_clients_fault(service: Service) -> None:
    from donjon.jwks import KeySetUnavailable

    class Down:
        def verify(self, _token: str, /) -> Claims:
            raise KeySetUnavailable("down")

    service.auth.verifier = Down()
    response = await service.get("/me", "Bearer x")
    assert response.status_code == 503
    assert "down" not in response.text
