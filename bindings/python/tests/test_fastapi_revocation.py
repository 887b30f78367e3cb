"""FastAPI services: refresh tokens, tokens that were revoked, and the set of them for others."""

import asyncio
import logging
import time
from datetime import timedelta
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient, Response

from conftest import AUDIENCE, ISSUER, MASTER
from donjon import (
    Claims,
    ConfigError,
    Keyring,
    Proxies,
    TokenIssuer,
    TokenRevoked,
    TokenVerifier,
    _clock,
)
from donjon.fastapi import (
    BearerAuth,
    SessionAuth,
    revocation_set_router,
    session_router,
    token_router,
)
from donjon.records import MemoryRecords
from donjon.revocation import AsyncRevocations, OfflineRevocations, Revocations
from donjon.revocation_sets import AsyncRevocationSetClient
from donjon.sessions import AsyncSessionManager, SessionManager, TokenPair

pytestmark = pytest.mark.anyio

SITE = "https://app.example"
SET = "/.well-known/revocation-set"


class DownStore:
    """A store that answers until it is down."""

    def __init__(self, records: MemoryRecords) -> None:
        self._records = records
        self.is_down = False
        self.scans = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def get_many(self, keys: Any) -> Any:
        self._fail()
        return self._records.get_many(keys)

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        self._fail()
        return self._records.replace(key, before, after, keep_ms)

    async def scan(self, part: str) -> Any:
        self.scans += 1
        await self.answers.wait()
        self._fail()
        for value in self._records.scan(part):
            yield value

    def _fail(self) -> None:
        if self.is_down:
            raise ConnectionError("the store is down")


@pytest.fixture(scope="module")
def keys() -> Keyring:
    return Keyring.from_master(
        MASTER,
        keys=[
            {"purpose": "token", "alg": "EdDSA", "epoch": 1},
            {"purpose": "device", "alg": "HS256", "epoch": 1},
            {"purpose": "csrf", "alg": "HS256", "epoch": 1},
        ],
    )


def verifier_of(keyring: Keyring, type_: str) -> TokenVerifier:
    return TokenVerifier(
        keyring, issuer=ISSUER, audience=AUDIENCE, type=type_, algorithms=["EdDSA"]
    )


class Service:
    """A service with tokens."""

    def __init__(
        self,
        keys: Keyring,
        config: dict[str, Any] | None = None,
        *,
        synchronous: bool = False,
        **options: Any,
    ) -> None:
        self.records = MemoryRecords()
        self.store = DownStore(self.records)
        self.keyring = keys
        self.issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE)
        self.verifier = verifier_of(keys, "rt+jwt")
        self.manager: AsyncSessionManager | SessionManager
        if synchronous:
            self.manager = SessionManager(keys, self.records, config=config)
        else:
            self.manager = AsyncSessionManager(keys, self.store, config=config)
        self.auth = BearerAuth(verifier_of(keys, "at+jwt"), check=self.manager.revocations.check)
        self.sessions = SessionAuth(self.manager)
        self.app = app = FastAPI()
        app.include_router(session_router(self.sessions))
        app.include_router(
            token_router(self.manager, lambda: self.issuer, lambda: self.verifier, **options)
        )
        app.include_router(revocation_set_router(self.manager.revocations, lambda: self.keyring))
        self.sessions.install(app)
        auth = self.auth

        @app.get("/me")
        async def me(user: Annotated[Claims, Depends(auth.current_user)]) -> dict[str, Any]:
            return {"subject": user.subject, "roles": list(user.roles)}

    async def begin(self, subject: str = "ann", **options: Any) -> TokenPair:
        begun = self.manager.begin_tokens(self.issuer, subject, **options)
        return begun if isinstance(begun, TokenPair) else await begun

    async def ask(self, method: str, path: str, **options: Any) -> Response:
        transport = ASGITransport(self.app, client=("192.0.2.1", 4711))
        async with AsyncClient(transport=transport, base_url=SITE) as client:
            return await client.request(method, path, **options)

    async def me(self, access_token: str) -> Response:
        return await self.ask("GET", "/me", headers={"authorization": f"Bearer {access_token}"})

    async def refresh(self, token: str) -> Response:
        return await self.ask("POST", "/tokens/refresh", json={"refresh_token": token})

    async def log_out(self, token: str) -> Response:
        return await self.ask("POST", "/tokens/logout", json={"refresh_token": token})


@pytest.fixture
def service(keys: Keyring) -> Service:
    return Service(keys)


def refused(response: Response) -> None:
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert response.json() == {"detail": "Not authenticated"}


def unavailable(response: Response) -> None:
    assert response.status_code == 503
    assert response.json() == {"detail": "Service Unavailable"}


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name == "donjon.fastapi"]


@pytest.mark.parametrize("synchronous", [False, True])
async def test_a_refresh_token_is_exchanged(keys: Keyring, synchronous: bool) -> None:
    service = Service(keys, synchronous=synchronous)
    pair = await service.begin(roles=["editor"])
    assert (await service.me(pair.access_token)).json() == {"subject": "ann", "roles": ["editor"]}
    response = await service.refresh(pair.refresh_token)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.keys() == {"access_token", "refresh_token", "token_type"}
    assert answer["token_type"] == "Bearer"
    assert answer["refresh_token"] != pair.refresh_token
    assert (await service.me(answer["access_token"])).json()["subject"] == "ann"
    again = await service.refresh(answer["refresh_token"])
    assert again.status_code == 200


async def test_a_replay_ends_the_family(keys: Keyring, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    service = Service(keys, {"refresh_grace_ms": 0})
    pair = await service.begin()
    first = (await service.refresh(pair.refresh_token)).json()
    second = (await service.refresh(first["refresh_token"])).json()
    refused(await service.refresh(pair.refresh_token))
    # Whoever has the newest one has it in vain, and so has who has an access token.
    refused(await service.refresh(second["refresh_token"]))
    refused(await service.me(second["access_token"]))
    assert reasons(caplog)[0] == "refresh token refused: reuse_detected"
    assert reasons(caplog)[-1] == "token refused: revoked"
    assert pair.refresh_token not in caplog.text


async def test_two_refreshes_at_once_are_one(service: Service) -> None:
    pair = await service.begin()
    answers = await asyncio.gather(*(service.refresh(pair.refresh_token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    families = {service.verifier.verify(one.json()["refresh_token"]).family for one in answers}
    tokens = {service.verifier.verify(one.json()["refresh_token"]).token_id for one in answers}
    assert len(families) == len(tokens) == 1
    assert (await service.refresh(answers[0].json()["refresh_token"])).status_code == 200


async def test_every_bad_refresh_token_is_refused_alike(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    pair = await service.begin()
    foreign = TokenIssuer(Keyring.generate(), issuer=ISSUER, audience=AUDIENCE)
    bad = {
        "x": "malformed",
        "": "malformed",
        "a.b.c": "malformed",
        pair.access_token: "wrong_token_type",
        foreign.begin_refresh("ann").token: "unknown_key",
        service.issuer.begin_refresh("ann", now=1).token: "expired",
        # Good, but of no family that the store has, and none that it may have lost.
        service.issuer.begin_refresh("ann", now=int(time.time()) + 2).token: "revoked",
    }
    for token in bad:
        refused(await service.refresh(token))
    assert reasons(caplog) == [f"refresh token refused: {reason}" for reason in bad.values()]
    assert (await service.refresh(pair.refresh_token)).status_code == 200


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": 7}, [], "x"])
async def test_what_is_no_request_is_refused_for_its_shape(service: Service, body: Any) -> None:
    for path in ("/tokens/refresh", "/tokens/logout"):
        assert (await service.ask("POST", path, json=body)).status_code == 422


async def test_a_grant_says_what_the_user_may_do_by_now(keys: Keyring) -> None:
    asked: list[Claims] = []

    async def grant(claims: Claims) -> dict[str, Any]:
        asked.append(claims)
        if claims.subject == "eve":
            raise TokenRevoked
        return {"roles": ["viewer"]}

    service = Service(keys, grant=grant)
    pair = await service.begin(roles=["editor"])
    answer = (await service.refresh(pair.refresh_token)).json()
    assert (await service.me(answer["access_token"])).json()["roles"] == ["viewer"]
    assert [one.subject for one in asked] == ["ann"]
    eve = await service.begin("eve")
    refused(await service.refresh(eve.refresh_token))

    def slow_grant(_: Claims) -> dict[str, Any]:
        with pytest.raises(RuntimeError):  # Other requests do not wait for it.
            asyncio.get_running_loop()
        return {"roles": ["admin"]}

    plain = Service(keys, grant=slow_grant)
    answer = (await plain.refresh((await plain.begin()).refresh_token)).json()
    assert (await plain.me(answer["access_token"])).json()["roles"] == ["admin"]


async def test_a_log_out_ends_the_family_and_its_access_tokens(service: Service) -> None:
    pair, other = await service.begin(), await service.begin()
    answer = (await service.refresh(pair.refresh_token)).json()
    # The one before the newest ends it as well: it is the user's all the same.
    assert (await service.log_out(pair.refresh_token)).status_code == 204
    for token in (pair.access_token, answer["access_token"]):
        refused(await service.me(token))
    refused(await service.refresh(answer["refresh_token"]))
    assert (await service.me(other.access_token)).status_code == 200
    assert (await service.refresh(other.refresh_token)).status_code == 200


async def test_what_has_no_family_is_none_to_log_out_of(keys: Keyring) -> None:
    service = Service(keys)
    service.verifier = verifier_of(keys, "at+jwt")
    bare = service.issuer.access("ann")
    refused(await service.refresh(bare))
    assert (await service.log_out(bare)).status_code == 204


async def test_a_log_out_of_what_is_over_is_one(service: Service) -> None:
    pair = await service.begin()
    foreign = TokenIssuer(Keyring.generate(), issuer=ISSUER, audience=AUDIENCE)
    for token in ("x", foreign.begin_refresh("ann").token, pair.access_token):
        assert (await service.log_out(token)).status_code == 204
    assert (await service.me(pair.access_token)).status_code == 200
    for _ in range(2):
        assert (await service.log_out(pair.refresh_token)).status_code == 204


async def test_refresh_tokens_are_sign_ins_that_a_browser_ends(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # In the second in which a store begins, tokens are stamped ahead as far as may be.
        patch.setattr(_clock, "now_ms", lambda: time.time_ns() // 1_000_000 - 10_000)
        await service.manager.keep_alive()  # type: ignore[misc]
    phone, tablet = await service.begin(label="phone"), await service.begin(label="tablet")
    auth = service.sessions
    begun = await auth.manager.log_in("ann", address="192.0.2.1")  # type: ignore[misc]
    headers = {
        "cookie": f"__Host-session={begun.id}",
        "x-csrf-token": auth.manager.sessions.csrf_token(begun.id),
    }
    listed = (await service.ask("GET", "/sessions", headers=headers)).json()["sessions"]
    assert [(one["kind"], one["label"]) for one in listed] == [
        ("tokens", "phone"),
        ("tokens", "tablet"),
        ("cookie", ""),
    ]
    path = f"/sessions/{listed[0]['handle']}"
    assert (await service.ask("DELETE", path, headers=headers)).status_code == 204
    refused(await service.me(phone.access_token))
    refused(await service.refresh(phone.refresh_token))
    assert (await service.me(tablet.access_token)).status_code == 200
    assert (await service.ask("POST", "/logout/everywhere", headers=headers)).status_code == 204
    refused(await service.me(tablet.access_token))
    refused(await service.refresh(tablet.refresh_token))
    # Who logs in again, in the same second perhaps, is in.
    anew = await service.begin()
    assert (await service.me(anew.access_token)).status_code == 200
    assert (await service.refresh(anew.refresh_token)).status_code == 200


async def test_a_store_that_is_down_refreshes_nothing(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    pair = await service.begin()
    service.store.is_down = True
    unavailable(await service.refresh(pair.refresh_token))
    unavailable(await service.log_out(pair.refresh_token))
    unavailable(await service.me(pair.access_token))
    refused(await service.refresh("x"))
    service.store.is_down = False
    assert (await service.refresh(pair.refresh_token)).status_code == 200
    assert any(one.startswith("no verdict on a refresh token") for one in reasons(caplog))


async def test_keys_rotate_while_the_service_runs() -> None:
    service = Service(Keyring.generate(purposes=["device", "csrf"]))
    pair = await service.begin()
    service.keyring = service.keyring.rotate(overlap=3600)
    service.issuer = TokenIssuer(service.keyring, issuer=ISSUER, audience=AUDIENCE)
    service.verifier = verifier_of(service.keyring, "rt+jwt")
    service.auth.verifier = verifier_of(service.keyring, "at+jwt")
    answer = (await service.refresh(pair.refresh_token)).json()
    assert (await service.me(answer["access_token"])).status_code == 200


async def test_a_verifier_may_be_asynchronous(keys: Keyring) -> None:
    service = Service(keys)

    class Remote:
        async def verify(self, token: str, /) -> Claims:
            return verifier_of(keys, "rt+jwt").verify(token)

    app = FastAPI()
    app.include_router(token_router(service.manager, service.issuer, Remote(), prefix="/auth"))
    service.app = app
    pair = await service.begin()
    body = {"refresh_token": pair.refresh_token}
    assert (await service.ask("POST", "/auth/refresh", json=body)).status_code == 200
    service.store.is_down = True
    for path in ("/auth/refresh", "/auth/logout"):
        unavailable(await service.ask("POST", path, json=body))


async def test_a_sign_in_moves_with_its_phone(
    keys: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "donjon.fastapi")
    proxies = Proxies("x-forwarded-for", trusted=["192.0.2.0/24"])
    service = Service(keys, address=proxies)
    pair = await service.begin(address="198.51.100.1", user_agent="phone")
    token = pair.refresh_token
    for address, agent in (("203.0.113.7", "phone"), ("203.0.113.9", "tablet")):
        body, headers = {"refresh_token": token}, {"x-forwarded-for": address, "user-agent": agent}
        answer = await service.ask("POST", "/tokens/refresh", json=body, headers=headers)
        token = answer.json()["refresh_token"]
    [listed] = await service.manager.list("ann")  # type: ignore[misc]
    assert listed.network == "203.0.113.0/24"
    assert reasons(caplog) == [
        "refreshed in spite of another address",
        "refreshed in spite of another user_agent",
    ]


async def test_openapi(service: Service) -> None:
    document = (await service.ask("GET", "/openapi.json")).json()
    paths = document["paths"]
    assert set(paths["/tokens/refresh"]["post"]["responses"]) == {"200", "401", "422", "503"}
    assert set(paths["/tokens/logout"]["post"]["responses"]) == {"204", "422", "503"}
    answer = document["components"]["schemas"]["TokenAnswer"]
    assert set(answer["properties"]) == {"access_token", "refresh_token", "token_type"}
    assert SET not in paths


async def test_a_synchronous_check(keys: Keyring) -> None:
    service = Service(keys)
    service.auth.check = Revocations(keys, service.records).check
    pair, other = await service.begin(), await service.begin()
    assert (await service.me(pair.access_token)).status_code == 200
    await service.log_out(pair.refresh_token)
    refused(await service.me(pair.access_token))
    assert (await service.me(other.access_token)).status_code == 200


async def test_one_token_is_revoked(service: Service, keys: Keyring) -> None:
    pair, other = await service.begin(), await service.begin()
    claims = verifier_of(keys, "at+jwt").verify(pair.access_token)
    await service.manager.revocations.revoke(claims)  # type: ignore[misc]
    refused(await service.me(pair.access_token))
    assert (await service.me(other.access_token)).status_code == 200


async def test_while_the_store_is_down_as_configured(keys: Keyring) -> None:
    service = Service(keys)
    pair = await service.begin()
    service.auth.check = AsyncRevocations(keys, service.store, on_failure="accept").check
    service.store.is_down = True
    assert (await service.me(pair.access_token)).status_code == 200


async def fetched(service: Service) -> bytes:
    response = await service.ask("GET", SET)
    assert response.status_code == 200
    return response.content


async def test_what_is_revoked_here_is_refused_elsewhere(keys: Keyring) -> None:
    here, there = Service(keys), Service(keys)
    offline = OfflineRevocations(Keyring.from_jwks(keys.public_jwks()))
    there.auth.check = offline.check
    pairs = [await here.begin() for _ in range(3)] + [await here.begin("bob")]
    # There is no set yet: nothing is known, so nobody is let in.
    unavailable(await there.me(pairs[0].access_token))
    await here.log_out(pairs[0].refresh_token)
    claims = verifier_of(keys, "at+jwt").verify(pairs[1].access_token)
    await here.manager.revocations.revoke(claims)  # type: ignore[misc]
    await here.manager.log_out_everywhere("bob")  # type: ignore[misc]
    offline.update(await fetched(here))
    statuses = [(await there.me(pair.access_token)).status_code for pair in pairs]
    assert statuses == [401, 401, 200, 401]
    refused(await there.me(pairs[0].access_token))


async def test_a_client_polls_what_the_router_publishes(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Monotonic(monkeypatch)
    here, there = Service(keys), Service(keys)
    url, transport = f"{SITE}{SET}", ASGITransport(here.app)
    pair, other = await here.begin(), await here.begin()
    often = timedelta(milliseconds=10)
    async with AsyncRevocationSetClient(
        url, keys, interval=often, transport=transport
    ) as revocations:
        there.auth.check = revocations.check
        assert (await there.me(pair.access_token)).status_code == 200
        await here.log_out(pair.refresh_token)
        clock.now += 5
        for _ in range(300):
            if (await there.me(pair.access_token)).status_code == 401:
                break
            await asyncio.sleep(0.01)
        refused(await there.me(pair.access_token))
        assert (await there.me(other.access_token)).status_code == 200
    assert here.store.scans == 2


async def test_the_set_is_cached_and_has_a_tag(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Monotonic(monkeypatch)
    first = await service.ask("GET", SET)
    assert first.headers["content-type"] == "application/octet-stream"
    assert first.headers["cache-control"] == "private, max-age=5"
    tag = first.headers["etag"]
    assert tag.startswith('"')
    clock.now += 3
    second = await service.ask("GET", SET)
    assert second.content == first.content
    assert second.headers["cache-control"] == "private, max-age=2"
    assert service.store.scans == 1
    for tags in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = await service.ask("GET", SET, headers={"if-none-match": tags})
        assert same.status_code == 304
        assert same.content == b""
        assert same.headers["etag"] == tag
    other = await service.ask("GET", SET, headers={"if-none-match": tag[:-1]})
    assert other.content == first.content
    clock.now += 2
    third = await service.ask("GET", SET, headers={"if-none-match": tag})
    assert third.status_code == 200
    assert third.headers["etag"] != tag
    assert service.store.scans == 2


class Monotonic:
    """The clock by which a set is renewed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("donjon.fastapi.revocation_sets.monotonic", lambda: self.now)


async def test_many_who_ask_at_once_have_one_set_made(service: Service) -> None:
    sets = await asyncio.gather(*(fetched(service) for _ in range(16)))
    assert len(set(sets)) == 1
    assert service.store.scans == 1


async def test_while_the_store_is_down_the_last_set_is_published_until_it_is_over(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Monotonic(monkeypatch)
    service.store.is_down = True
    unavailable(await service.ask("GET", SET))
    service.store.is_down = False
    last = await fetched(service)
    service.store.is_down = True
    clock.now += 299
    stale = await service.ask("GET", SET)
    assert stale.content == last
    assert stale.headers["cache-control"] == "private, max-age=0"
    clock.now += 1
    unavailable(await service.ask("GET", SET))
    assert any("not renewed" in one for one in reasons(caplog))
    service.store.is_down = False
    assert await fetched(service) != last


async def test_while_the_store_hangs_the_last_set_is_published(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Monotonic(monkeypatch)
    service = Service(keys)
    service.app = FastAPI()
    service.app.include_router(
        revocation_set_router(service.manager.revocations, lambda: keys, timeout_s=0.05)
    )
    service.store.answers.clear()
    unavailable(await service.ask("GET", SET))
    # What was begun goes on, also when those who asked have gone.
    asked = asyncio.create_task(fetched(service))
    await asyncio.sleep(0.01)
    asked.cancel()
    service.store.answers.set()
    last = await fetched(service)
    assert service.store.scans == 1
    clock.now += 5
    service.store.answers.clear()
    many = asyncio.gather(*(fetched(service) for _ in range(8)))
    sets = await asyncio.wait_for(many, 5)
    assert set(sets) == {last}
    assert service.store.scans == 2
    service.store.answers.set()
    assert await fetched(service) != last
    assert service.store.scans == 2


async def test_sets_of_several_processes_do_not_go_back(keys: Keyring) -> None:
    one = Service(keys)
    other = FastAPI()
    revocations = AsyncRevocations(keys, one.store)
    other.include_router(revocation_set_router(revocations, lambda: keys))
    offline = OfflineRevocations(keys)
    first = await fetched(one)
    one.app = other
    second = await fetched(one)
    offline.update(second)
    offline.update(first)  # A balancer sends the next poll to the process that published before.
    pair = await one.begin()
    offline.check(verifier_of(keys, "at+jwt").verify(pair.access_token))


@pytest.mark.parametrize(("valid", "renew"), [(30, 30), (30, 31), (30, 0), (0, 0)])
def test_a_set_is_renewed_while_it_is_good(service: Service, valid: int, renew: int) -> None:
    with pytest.raises(ConfigError):
        revocation_set_router(
            service.manager.revocations,
            lambda: service.keyring,
            valid_for_s=valid,
            renew_after_s=renew,
        )
