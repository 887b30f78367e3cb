"""Lock-out: how many passwords are hashed, whom it hits, and what a client learns."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import pytest
import redis
import redis.asyncio
from fastapi import Body, Depends, FastAPI, HTTPException
from httpx import ASGITransport, AsyncClient, Response
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import Server

from conftest import PASSWORD
from donjon import (
    Busy,
    Client,
    ConfigError,
    Keyring,
    LimitInputRefused,
    Limits,
    LimitTable,
    PasswordHasher,
    PasswordMismatch,
    RateLimited,
    StoreUnavailable,
    Verdict,
)
from donjon.fastapi import Limiter as FastAPILimiter
from donjon.limits import AsyncLimiter, AsyncLockout, Limiter, Lockout
from donjon.redis import AsyncRedisStore, RedisStore

pytestmark = pytest.mark.anyio

ANN, BOB = "192.0.2.1", "192.0.2.2"
HASH, NEW_HASH = "$argon2id$old", "$argon2id$new"


@pytest.fixture(scope="module")
def keys() -> Keyring:
    return Keyring.generate(purposes=["device"])


@pytest.fixture(scope="module")
def hasher() -> Iterator[PasswordHasher]:
    """One of this file's own, which ends its threads."""
    with PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.fixture(params=["table", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "table":
        yield LimitTable()
        return
    with redis.Redis(port=request.getfixturevalue("server").port, socket_timeout=5) as client:
        client.flushall()
        yield RedisStore(client)


@pytest.fixture
def lockout(keys: Keyring, store: Any) -> Lockout:
    return Lockout(keys, Limiter(store))


def fails(lockout: Lockout, account: str, times: int, **who: Any) -> list[bool]:
    """Try, and tell which attempts were let through."""
    reserved = []
    for _ in range(times):
        try:
            lockout.reserve(account, **who)
        except RateLimited:
            reserved.append(False)
        else:
            reserved.append(True)
    return reserved


def test_five_failures_lock_an_account(lockout: Lockout) -> None:
    assert fails(lockout, "ann", 8, address=ANN) == [True] * 5 + [False] * 3
    # From everywhere, and no other account.
    assert fails(lockout, "ann", 1, address=BOB) == [False]
    assert fails(lockout, "bob", 1, address=BOB) == [True]
    with pytest.raises(RateLimited) as raised:
        lockout.reserve("ann")
    error = raised.value
    assert isinstance(error.verdict, Verdict)
    assert error.http_status == 429
    assert error.verdict.retry_after_ms is not None
    assert 890_000 < error.verdict.retry_after_ms <= 900_000
    assert "ann" not in str(error)
    assert error.limits is not None
    assert ("Retry-After", "900") in error.limits.headers(error.verdict)


def test_five_failures_lock_an_address(lockout: Lockout) -> None:
    """However many accounts it tries: one password for all of them is an attack as well."""
    tried = [fails(lockout, f"user{index}", 1, address=ANN) for index in range(7)]
    assert tried == [[True]] * 5 + [[False]] * 2
    assert fails(lockout, "user0", 1, address=BOB) == [True]
    # An attempt that the address refused is not the account's.
    assert fails(lockout, "user6", 5, address=BOB) == [True] * 4 + [False]


def test_a_success_forgets_the_accounts_failures_and_gives_the_address_its_back(
    lockout: Lockout,
) -> None:
    fails(lockout, "ann", 3, address=ANN)
    attempt = lockout.reserve("ann", address=ANN)
    attempt.succeeded()
    # The account is new again, the address has its three failures.
    assert fails(lockout, "ann", 6, address=BOB) == [True] * 5 + [False]
    assert fails(lockout, "eve", 3, address=ANN) == [True, True, False]


def test_whoever_logs_in_is_never_locked_out_however_often(lockout: Lockout) -> None:
    for _ in range(20):
        lockout.reserve("ann", address=ANN).succeeded()


def test_the_fifth_attempt_may_be_the_right_one(lockout: Lockout) -> None:
    fails(lockout, "ann", 4, address=ANN)
    lockout.reserve("ann", address=ANN).succeeded()
    assert fails(lockout, "ann", 1, address=BOB) == [True]


def test_an_attempt_succeeds_once(lockout: Lockout) -> None:
    attempt = lockout.reserve("ann", address=ANN)
    attempt.succeeded()
    fails(lockout, "ann", 5, address=BOB)
    attempt.succeeded()
    assert fails(lockout, "ann", 1) == [False]


def test_an_attempt_that_looked_at_no_password_is_withdrawn(lockout: Lockout) -> None:
    """And what had failed before, has failed."""
    fails(lockout, "ann", 3, address=ANN)
    for _ in range(10):
        attempt = lockout.reserve("ann", address=ANN)
        attempt.withdraw()
        attempt.withdraw()
        attempt.succeeded()
    assert fails(lockout, "ann", 3, address=BOB) == [True, True, False]
    assert fails(lockout, "eve", 3, address=ANN) == [True, True, False]


def test_an_account_that_does_not_exist_is_locked_as_one_that_does(lockout: Lockout) -> None:
    known: dict[str, Any] = {"subject": "user-7", "state": HASH}
    for device in (None, "", "x", "a.b.c"):
        assert fails(lockout, f"ann{device}", 6, device=device, **known) == [True] * 5 + [False]
        assert fails(lockout, f"eve{device}", 6, device=device) == [True] * 5 + [False]
    errors = []
    for who in ({"account": "ann", **known}, {"account": "eve"}):
        fails(lockout, who["account"], 5)
        with pytest.raises(RateLimited) as raised:
            lockout.reserve(**who)
        verdict = raised.value.verdict
        assert verdict is not None
        errors.append((str(raised.value), verdict.limit, verdict.remaining))
    assert errors[0] == errors[1]


def test_what_is_stored_names_nobody(keys: Keyring, server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        client.flushall()
        lockout = Lockout(keys, Limiter(RedisStore(client)))
        lockout.reserve("ann@example.org", address=ANN)
        stored = b" ".join(client.keys("*"))
        assert b"ann" not in stored
        assert stored.count(b"donjon:limit:{account:") == 1
        assert all(client.pttl(key) > 0 for key in client.keys("*"))


# ---- devices ----


def test_a_known_device_is_not_locked_out_by_others(lockout: Lockout) -> None:
    token = lockout.device_token("user-7", state=HASH)
    mine: dict[str, Any] = {"subject": "user-7", "state": HASH, "device": token}
    assert fails(lockout, "ann", 6, address=BOB) == [True] * 5 + [False]
    assert fails(lockout, "ann", 1, address=ANN, subject="user-7", state=HASH) == [False]
    lockout.reserve("ann", address=ANN, **mine).succeeded()
    # It has five failures of its own, wherever it is.
    assert fails(lockout, "ann", 6, address=ANN, **mine) == [True] * 5 + [False]
    # With it or without it, the account was and is locked.
    assert fails(lockout, "ann", 1, address=BOB) == [False]


def test_a_success_from_a_device_unlocks_nobody_else(lockout: Lockout) -> None:
    token = lockout.device_token("user-7", state=HASH)
    fails(lockout, "ann", 5, address=BOB)
    lockout.reserve("ann", device=token, subject="user-7", state=HASH).succeeded()
    assert fails(lockout, "ann", 1, address=ANN) == [False]


def test_a_token_is_of_one_subject_and_one_password(lockout: Lockout) -> None:
    token = lockout.device_token("user-7", state=HASH)
    fails(lockout, "ann", 5)
    for who in (
        {"subject": "user-8", "state": HASH},
        {"subject": "user-7", "state": NEW_HASH},
        {"subject": "", "state": ""},
        {},
    ):
        assert fails(lockout, "ann", 1, device=token, **who) == [False]
    for broken in (token[:-2], token + "x", "", "x" * 5000):
        assert fails(lockout, "ann", 1, device=broken, subject="user-7", state=HASH) == [False]
    assert fails(lockout, "ann", 1, device=token, subject="user-7", state=HASH) == [True]


def test_a_token_ends(lockout: Lockout) -> None:
    token = lockout.device_token("user-7", state=HASH, ttl=timedelta(days=1), now=1_700_000_000)
    fails(lockout, "ann", 5)
    assert fails(lockout, "ann", 1, device=token, subject="user-7", state=HASH) == [False]


# ---- configuration ----


def test_other_numbers(keys: Keyring) -> None:
    lockout = Lockout(
        keys,
        Limiter(LimitTable()),
        limits=Limits.lockout(attempts=2, lock_s=60),
        address_limits=Limits.lockout(attempts=4, lock_s=60),
    )
    assert fails(lockout, "ann", 3, address=ANN) == [True, True, False]
    assert fails(lockout, "bob", 3, address=ANN) == [True, True, False]
    assert fails(lockout, "eve", 1, address=ANN) == [False]


def test_what_is_no_account(lockout: Lockout) -> None:
    for account in ("", "x" * 1025, "\ud800"):
        with pytest.raises(LimitInputRefused):
            lockout.reserve(account, address=ANN)
    assert fails(lockout, "ann", 5, address=ANN) == [True] * 5
    with pytest.raises(TypeError):
        lockout.reserve(None)  # type: ignore[arg-type]


def test_a_keyring_needs_its_keys() -> None:
    with pytest.raises(ConfigError):
        Lockout(Keyring.generate(None, purposes=["envelope"]), Limiter(LimitTable()))


# ---- parallel ----


def test_64_guesses_in_parallel_hash_five_passwords(lockout: Lockout) -> None:
    hashed: list[int] = []
    refused: list[int] = []
    barrier = threading.Barrier(64)

    def guess(index: int) -> None:
        barrier.wait()
        try:
            lockout.reserve("ann", address=ANN)
        except RateLimited:
            refused.append(index)
        else:
            hashed.append(index)

    threads = [threading.Thread(target=guess, args=(index,)) for index in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(hashed), len(refused)) == (5, 59)


def test_64_guesses_in_parallel_from_64_addresses(lockout: Lockout) -> None:
    through: list[bool] = []

    def guess(index: int) -> None:
        through.extend(fails(lockout, "ann", 1, address=f"192.0.2.{index}"))

    threads = [threading.Thread(target=guess, args=(index,)) for index in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert through.count(True) == 5


# ---- a service that logs in ----


class Service:
    """A service with one account, which counts how many passwords it hashes."""

    def __init__(self, keys: Keyring, limiter: AsyncLimiter, hasher: PasswordHasher) -> None:
        self.hashed = 0
        self.busy = False
        self.stored = hasher.hash(PASSWORD)
        self.lockout = AsyncLockout(keys, limiter)
        limits = FastAPILimiter(storage=limiter)
        self.app = FastAPI()
        limits.install(self.app)

        @self.app.post("/login")
        async def login(
            name: Annotated[str, Body()],
            password: Annotated[str, Body()],
            client: Annotated[Client | None, Depends(limits.address)],
            device: Annotated[str | None, Body()] = None,
        ) -> str:
            stored = self.stored if name == "ann" else None
            attempt = await self.lockout.reserve(
                name,
                address=client and client.bucket,
                device=device,
                subject="user-7" if stored else "",
                state=stored or "",
            )
            self.hashed += 1
            if self.busy:
                await attempt.withdraw()
                raise HTTPException(Busy.http_status)
            try:
                await hasher.averify(stored, password)
            except PasswordMismatch:
                raise HTTPException(401) from None
            await attempt.succeeded()
            return self.lockout.device_token("user-7", state=self.stored)

    async def login(self, name: str, password: str, peer: str = ANN, **more: str) -> Response:
        transport = ASGITransport(self.app, client=(peer, 4711))
        async with AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post("/login", json={"name": name, "password": password, **more})


@pytest.mark.parametrize("name", ["ann", "nobody"])
async def test_guesses_at_a_service(keys: Keyring, hasher: PasswordHasher, name: str) -> None:
    service = Service(keys, AsyncLimiter(LimitTable()), hasher)
    responses = await asyncio.gather(*(service.login(name, f"guess {i}") for i in range(64)))
    codes = [response.status_code for response in responses]
    assert (codes.count(401), codes.count(429)) == (5, 59)
    assert service.hashed == 5
    refusal = next(response for response in responses if response.status_code == 429)
    assert refusal.json()["error"]["code"] == "rate_limited"
    assert refusal.json()["error"]["details"]["limit"] == 5
    assert 890 < int(refusal.headers["retry-after"]) <= 900
    assert refusal.headers["x-ratelimit-remaining"] == "0"
    assert name not in refusal.text
    # The right password does not help either,
    assert (await service.login(name, PASSWORD, BOB)).status_code == 429


async def test_a_hasher_that_is_busy_locks_nobody_out(
    keys: Keyring, hasher: PasswordHasher
) -> None:
    service = Service(keys, AsyncLimiter(LimitTable()), hasher)
    service.busy = True
    assert [(await service.login("ann", PASSWORD)).status_code for _ in range(9)] == [503] * 9
    service.busy = False
    assert (await service.login("ann", PASSWORD)).status_code == 200


async def test_what_is_no_name_is_the_clients_error(keys: Keyring, hasher: PasswordHasher) -> None:
    service = Service(keys, AsyncLimiter(LimitTable()), hasher)
    for name in ("", "x" * 2000):
        response = await service.login(name, "guess")
        assert (response.status_code, response.json()) == (400, {"detail": "Bad Request"})
    assert service.hashed == 0


async def test_a_device_logs_in_while_others_guess(keys: Keyring, hasher: PasswordHasher) -> None:
    service = Service(keys, AsyncLimiter(LimitTable()), hasher)
    device = (await service.login("ann", PASSWORD)).json()
    for _ in range(8):
        await service.login("ann", "guess", BOB)
    assert (await service.login("ann", PASSWORD)).status_code == 429
    assert (await service.login("ann", PASSWORD, device=device)).status_code == 200
    assert (await service.login("ann", "guess", device=device)).status_code == 401
    # The token proves nothing.
    assert (await service.login("nobody", PASSWORD, BOB, device=device)).status_code == 429


async def test_guesses_at_a_service_with_redis(
    keys: Keyring, hasher: PasswordHasher, server: Server
) -> None:
    async with redis.asyncio.Redis(port=server.port) as client:
        await client.flushall()
        service = Service(keys, AsyncLimiter(AsyncRedisStore(client), timeout_s=10), hasher)
        responses = await asyncio.gather(
            *(service.login("ann", "guess", f"192.0.2.{i}") for i in range(64))
        )
        codes = [response.status_code for response in responses]
        assert (codes.count(401), codes.count(429)) == (5, 59)
        assert service.hashed == 5


class Down:
    """A store that is down."""

    async def spend(self, _: Limits, _key: str, _cost: int = 1, /) -> Verdict:
        raise ConnectionError

    async def give_back(self, _: Limits, _key: str, _at_ms: int, _cost: int = 1, /) -> None:
        raise ConnectionError

    async def forget(self, _: str, /) -> None:
        raise ConnectionError


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [("refuse", [503] * 7), ("allow", [401] * 7), ("table", [401] * 5 + [429] * 2)],
)
async def test_a_service_whose_store_is_down(
    keys: Keyring, hasher: PasswordHasher, policy: Any, wanted: list[int]
) -> None:
    on_failure = LimitTable() if policy == "table" else policy
    service = Service(keys, AsyncLimiter(Down(), on_failure=on_failure), hasher)
    codes = [(await service.login("ann", "guess")).status_code for _ in range(7)]
    assert codes == wanted
    if policy != "table":
        code = (await service.login("ann", PASSWORD)).status_code
        assert code == (503 if policy == "refuse" else 200)


def test_a_store_that_fails_after_the_attempt(keys: Keyring) -> None:
    """Nobody who has the password is turned away then; the attempt stays counted."""

    class Forgetful:
        def __init__(self) -> None:
            self.table = LimitTable()

        def spend(self, limits: Limits, key: str, cost: int = 1, /) -> Verdict:
            return self.table.spend(limits, key, cost)

        def give_back(self, _: Limits, _key: str, _at_ms: int, _cost: int = 1, /) -> None:
            raise ConnectionError

        def forget(self, _: str, /) -> None:
            raise ConnectionError

    limiter = Limiter(Forgetful())
    lockout = Lockout(keys, limiter)
    for _ in range(5):
        lockout.reserve("ann", address=ANN).succeeded()
    assert limiter.failures == 10
    with pytest.raises(RateLimited):
        lockout.reserve("ann", address=ANN)


def test_a_store_that_is_down_is_said_as_that(keys: Keyring) -> None:
    with redis.Redis(port=1, retry=Retry(NoBackoff(), 0)) as client:
        lockout = Lockout(keys, Limiter(RedisStore(client)))
        with pytest.raises(StoreUnavailable):
            lockout.reserve("ann", address=ANN)


def test_flooding_the_table_does_not_unlock(keys: Keyring) -> None:
    """Whoever is locked out and comes from many addresses to be forgotten, stays locked."""
    lockout = Lockout(keys, Limiter(LimitTable(capacity=64)))
    fails(lockout, "ann", 5, address=ANN)
    for index in range(2000):
        fails(lockout, f"user{index}", 1, address=f"10.0.{index // 250}.{index % 250}")
    assert fails(lockout, "ann", 1, address=BOB) == [False]
    assert fails(lockout, "eve", 1, address=ANN) == [False]
