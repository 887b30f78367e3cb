"""FastAPI services: who may, what a 403 tells, and how a policy is changed while they run."""

import asyncio
import decimal
import enum
import json
import logging
import threading
import uuid
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Request
from httpx import ASGITransport, AsyncClient, Response
from pydantic import BaseModel

import donjon
from conftest import AUDIENCE, ISSUER
from donjon import Claims, Keyring, Policy, Subject, TokenIssuer, TokenVerifier
from donjon.fastapi import Authorizer, BearerAuth, SessionAuth
from donjon.records import MemoryRecords
from donjon.sessions import AsyncSessionManager, Session

pytestmark = pytest.mark.anyio

DOCUMENT: dict[str, Any] = {
    "permissions": ["document:read:{id}", "document:update:{id}", "audit:read", "user:list"],
    "roles": {
        "viewer": {"allow": ["document:read"]},
        "editor": {"inherits": ["viewer"], "allow": ["document:update"]},
        "barred": {"inherits": ["viewer"], "deny": ["document:read:7"]},
        "guest": {"allow": ["document:read:1"]},
        "auditor": {"allow": ["audit:read"]},
        "admin": {"allow": ["*"]},
    },
    "constraints": {"dynamic_separation": [{"roles": ["auditor", "editor"], "at_most": 1}]},
}


class Service:
    """A service of one keyring and one policy."""

    def __init__(self, **options: Any) -> None:
        self.keyring = Keyring.generate()
        self.issuer = TokenIssuer(self.keyring, issuer=ISSUER, audience=AUDIENCE)
        self.verified = 0
        self.auth = BearerAuth(self)
        self._verifier = TokenVerifier(
            self.keyring, issuer=ISSUER, audience=AUDIENCE, type="at+jwt", algorithms=["EdDSA"]
        )
        self.may = Authorizer(self.auth, Policy(DOCUMENT), **options)
        self.app = FastAPI()

    def verify(self, token: str, /) -> Claims:
        self.verified += 1
        return self._verifier.verify(token)

    async def get(self, path: str, *roles: str, **claims: Any) -> Response:
        token = self.issuer.access("ann", roles=roles, **claims)
        return await self.get_with(path, {"Authorization": f"Bearer {token}"})

    async def get_with(self, path: str, headers: dict[str, str]) -> Response:
        transport = ASGITransport(self.app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.get(path, headers=headers)


@pytest.fixture
def service() -> Service:
    service = Service()
    may, app = service.may, service.app

    @app.get("/read")
    def read(user: Annotated[Claims, Depends(may.require("document:read"))]) -> str | None:
        return user.subject

    @app.get("/either", dependencies=[Depends(may.require_any("audit:read", "document:update"))])
    async def either() -> str:
        return "either"

    @app.get("/both", dependencies=[Depends(may.require_all("document:read", "document:update"))])
    async def both() -> str:
        return "both"

    @app.get("/role", dependencies=[Depends(may.require_role("viewer"))])
    async def role() -> str:
        return "role"

    @app.get("/documents/{document_id}")
    def document(
        document_id: int,
        _: Annotated[Claims, Depends(may.require("document:read:{document_id}"))],
    ) -> int:
        return document_id

    @app.get("/inside/{document_id}")
    def inside(document_id: str, subject: Annotated[Subject, Depends(may.subject)]) -> str:
        subject.require("document:update", document_id)
        return document_id

    router = APIRouter(prefix="/audit", dependencies=[Depends(may.require("audit:read"))])

    @router.get("/")
    def audit() -> str:
        return "audit"

    @router.get("/users", dependencies=[Depends(may.require("user:list"))])
    def users() -> str:
        return "users"

    app.include_router(router)
    may.install(app)
    return service


def forbidden(response: Response) -> None:
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    assert response.json() == {"detail": "Forbidden"}


async def test_who_has_the_permission_is_let_in(service: Service) -> None:
    assert (await service.get("/read", "viewer")).json() == "ann"
    assert (await service.get("/read", "editor")).json() == "ann"
    forbidden(await service.get("/read"))
    forbidden(await service.get("/read", "auditor"))
    forbidden(await service.get("/read", "ghost"))
    forbidden(await service.get("/read", "viewer@acme"))


async def test_who_says_nothing_is_asked_who_it_is(service: Service) -> None:
    for path in ("/read", "/either", "/role", "/audit/", "/documents/1", "/inside/1"):
        for headers in ({}, {"Authorization": "Bearer x"}):
            response = await service.get_with(path, headers)
            assert response.status_code == 401
            assert response.json() == {"detail": "Not authenticated"}


async def test_any_all_and_roles(service: Service) -> None:
    assert (await service.get("/either", "auditor")).json() == "either"
    assert (await service.get("/either", "editor")).json() == "either"
    forbidden(await service.get("/either", "viewer"))
    assert (await service.get("/both", "editor")).json() == "both"
    forbidden(await service.get("/both", "viewer"))
    assert (await service.get("/role", "editor")).json() == "role"
    forbidden(await service.get("/role", "admin"))


async def test_a_router_and_its_route_both_require(service: Service) -> None:
    assert (await service.get("/audit/", "auditor")).json() == "audit"
    forbidden(await service.get("/audit/users", "auditor"))
    forbidden(await service.get("/audit/users", "viewer"))
    assert (await service.get("/audit/users", "admin")).json() == "users"


async def test_a_request_verifies_its_token_once(service: Service) -> None:
    await service.get("/audit/users", "admin")
    assert service.verified == 1


async def test_a_tokens_permissions_narrow_its_roles(service: Service) -> None:
    assert (await service.get("/read", "viewer", permissions=["document:read"])).status_code == 200
    forbidden(await service.get("/read", "viewer", permissions=["audit:read"]))
    forbidden(await service.get("/read", "viewer", permissions=[]))
    forbidden(await service.get("/read", permissions=["document:read"]))


# ---- path parameters ----


async def test_a_path_says_which_one(service: Service) -> None:
    assert (await service.get("/documents/1", "guest")).json() == 1
    forbidden(await service.get("/documents/2", "guest"))
    assert (await service.get("/documents/8", "barred")).json() == 8
    forbidden(await service.get("/documents/7", "barred"))


@pytest.mark.parametrize("written", ["007", "+7", "%207", "7.0", "7%20", "07", "7e0", "%37"])
async def test_another_spelling_of_a_number_is_the_same_number(
    service: Service, written: str
) -> None:
    response = await service.get(f"/documents/{written}", "barred")
    assert response.status_code in {403, 422}
    assert "7" not in response.text or response.status_code == 422


@pytest.mark.parametrize(
    "written", ["*", "1,2", "1:2", "%2A", "1%2C2", "%3A", "%00", "%0A", "%20", "%FF", "a" * 5000]
)
async def test_a_path_that_is_no_name_is_forbidden(service: Service, written: str) -> None:
    for role in ("guest", "barred", "viewer", "admin"):
        response = await service.get(f"/inside/{written}", role)
        if role == "admin" and written == "a" * 5000:
            continue
        forbidden(response)


class Kind(str, enum.Enum):
    PLAN = "plan"


def by_uuid(document_id: uuid.UUID) -> str:
    return str(document_id)


def by_enum(document_id: Kind) -> str:
    return document_id.value


def by_alias(number: Annotated[int, Path(alias="document_id", ge=1)]) -> int:
    return number


def by_validation_alias(
    number: Annotated[int, Path(alias="document_id", validation_alias="document_id")],
) -> int:
    return number


def loaded(document_id: int) -> int:
    return document_id


def by_dependency(found: Annotated[int, Depends(loaded)]) -> int:
    return found


def by_both(document_id: str, found: Annotated[int, Depends(loaded)]) -> str:
    return f"{document_id} {found}"


def unread() -> str:
    return "unread"


ROUTES: dict[str, Callable[..., Any]] = {
    "/uuid/{document_id}": by_uuid,
    "/enum/{document_id}": by_enum,
    "/alias/{document_id}": by_alias,
    "/validation/{document_id}": by_validation_alias,
    "/depends/{document_id}": by_dependency,
    "/both/{document_id}": by_both,
    "/convertor/{document_id:int}": loaded,
    "/unread/{document_id}": unread,
}
NAME = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture
def readers() -> Service:
    """A service that reads the parameter in every way, where one of each kind is barred."""
    service = Service()
    require = Depends(service.may.require("document:read:{document_id}"))
    for path, route in ROUTES.items():
        service.app.get(path, dependencies=[require])(route)
    document = json.loads(json.dumps(DOCUMENT))
    document["roles"]["barred"]["deny"] = [f"document:read:{NAME},plan,7"]
    service.may.policy = Policy(document)
    return service


@pytest.mark.parametrize(
    "path",
    [
        f"/uuid/{NAME}",
        f"/uuid/{str(NAME).upper()}",
        f"/uuid/{NAME.hex}",
        f"/uuid/{{{NAME}}}",
        "/enum/plan",
        "/alias/7",
        "/alias/007",
        "/validation/7",
        "/validation/007",
        "/depends/7",
        "/depends/07",
        "/both/07",
        "/convertor/7",
        "/convertor/007",
        "/unread/7",
    ],
)
async def test_what_is_checked_is_what_the_route_gets(readers: Service, path: str) -> None:
    forbidden(await readers.get(path, "barred"))
    if path != "/both/07":
        assert (await readers.get(path, "viewer")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/alias/8", "/depends/08", "/convertor/08", "/unread/8", "/both/8"]
)
async def test_what_is_not_denied_is_read(readers: Service, path: str) -> None:
    assert (await readers.get(path, "barred")).status_code == 200


@pytest.mark.parametrize("path", ["/alias/0", "/alias/x", "/both/08", "/enum/x"])
async def test_what_the_route_cannot_read_or_reads_in_two_ways_is_denied(
    readers: Service, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "donjon.fastapi"):
        forbidden(await readers.get(path, "viewer"))
    assert "the parameter" in vars(caplog.records[0])["donjon"]["message"]


async def test_routers_and_routes_that_read_the_parameter_count() -> None:
    service = Service()
    require = Depends(service.may.require("document:read:{document_id}"))
    load = Depends(loaded)
    router = APIRouter(prefix="/router/{document_id}", dependencies=[load, require])
    router.get("/x")(unread)
    included = APIRouter()
    included.get("/x")(unread)
    outer, inner = APIRouter(prefix="/outer/{document_id}", dependencies=[load]), APIRouter()
    inner.get("/x", dependencies=[require])(unread)
    outer.include_router(inner, prefix="/inner")
    service.app.include_router(router)
    service.app.include_router(
        included, prefix="/included/{document_id}", dependencies=[require, load]
    )
    service.app.include_router(outer)
    service.app.get("/route/{document_id}/x", dependencies=[load, require])(unread)
    for path in ("/router/{}/x", "/included/{}/x", "/outer/{}/inner/x", "/route/{}/x"):
        for barred in ("7", "07", "x"):
            forbidden(await service.get(path.format(barred), "barred"))
        for free in ("8", "08"):
            assert (await service.get(path.format(free), "barred")).status_code == 200


async def test_a_parameter_whose_values_have_many_texts_is_the_services_mistake() -> None:
    service = Service()
    require = Depends(service.may.require("document:read:{document_id}"))

    def read(document_id: Any) -> str:
        return str(document_id)

    for kind in (float, decimal.Decimal, bool):
        read.__annotations__["document_id"] = kind
        service.app.get(f"/{kind.__name__}/{{document_id}}", dependencies=[require])(read)
    for path in ("/float/7", "/Decimal/7", "/Decimal/7.00", "/bool/1"):
        for role in ("barred", "admin"):
            assert (await service.get(path, role)).status_code == 500


async def test_a_parameter_that_a_model_reads_is_the_services_mistake() -> None:
    service = Service()
    require = Depends(service.may.require("document:read:{document_id}"))

    class Place(BaseModel):
        document_id: int

    def read(place: Annotated[Place, Path()]) -> int:
        return place.document_id

    service.app.get("/{document_id}", dependencies=[require])(read)
    for path in ("/7", "/007", "/8"):
        for role in ("barred", "admin"):
            assert (await service.get(path, role)).status_code == 500


async def test_a_number_of_any_size_is_asked_about(service: Service) -> None:
    @service.app.get("/number/{number}")
    def number(number: int, subject: Annotated[Subject, Depends(service.may.subject)]) -> str:
        subject.require("document:read", number)
        return "in"

    for written in (str(2**63), str(-(2**70)), "9" * 4000):
        forbidden(await service.get(f"/number/{written}", "guest"))
    assert (await service.get(f"/number/{2**70}", "barred")).json() == "in"


async def test_a_path_without_the_parameter_is_the_services_mistake() -> None:
    service = Service()

    @service.app.get(
        "/documents", dependencies=[Depends(service.may.require("document:read:{document_id}"))]
    )
    def documents() -> str:
        raise AssertionError

    assert (await service.get("/documents?document_id=1", "admin")).status_code == 500


# ---- what is declared ----


@pytest.mark.parametrize("method", ["require", "require_any", "require_all", "require_role"])
async def test_a_call_that_was_forgotten_lets_nobody_in(method: str) -> None:
    service = Service()
    forgotten = Depends(getattr(service.may, method))

    def route() -> str:
        return "in"

    def parameter(_: Any = forgotten) -> str:
        return "in"

    with pytest.raises(TypeError, match=r"Depends\(may.require\(...\)\)"):
        service.app.get("/route", dependencies=[forgotten])(route)
    with pytest.raises(TypeError, match=r"Depends\(may.require\(...\)\)"):
        service.app.get("/parameter")(parameter)
    query = "permission=document:read&permissions=document:read&role=viewer"
    for path in ("/route", "/parameter"):
        assert (await service.get_with(f"{path}?{query}", {})).status_code == 404


@pytest.mark.parametrize("method", ["require", "require_role"])
def test_what_is_required_is_never_passed_by_name(method: str) -> None:
    require = getattr(Service().may, method)
    for name, value in (("permission", "document:read"), ("role", "viewer")):
        with pytest.raises(TypeError):
            require(**{name: value})


async def test_a_subject_is_a_dependency_as_it_is() -> None:
    service = Service()

    @service.app.get("/", dependencies=[Depends(service.may.subject)])
    def root() -> str:
        return "in"

    for path in ("/", "/?user=ann&tenant=acme&subject=ann"):
        assert (await service.get_with(path, {})).status_code == 401


def test_a_template_that_is_none_is_a_mistake_of_the_route() -> None:
    may = Service().may
    for template in (
        "document:read:{}",
        "document:read:{a b}",
        "document:read:{a},{b}",
        "document:read:{*}",
        "document:read:{{x}}",
        "document:read:{document_id:path}",
        "document:{id}:read",
        "{document_id}",
        "document:read:{document_id",
        "document:read:document_id}",
    ):
        for declare in (may.require, may.require_any, may.require_all):
            with pytest.raises((donjon.PolicyInputRefused, donjon.UnknownPermission)):
                declare(template)


def test_a_policy_is_a_policy() -> None:
    may = Service().may
    wrong: Any
    for wrong in ("nonsense", DOCUMENT, None):
        with pytest.raises(TypeError, match=r"donjon\.Policy"):
            may.policy = wrong
        with pytest.raises(TypeError, match=r"donjon\.Policy"):
            Authorizer(Service().auth, wrong)
    assert isinstance(may.policy, Policy)


def test_what_the_catalogue_lacks_is_a_mistake_of_the_route() -> None:
    may = Service().may
    for unknown in ("document:fly", "audit:read:{audit_id}", "documents"):
        for declare in (may.require, may.require_any, may.require_all):
            with pytest.raises(donjon.UnknownPermission):
                declare(unknown)
    with pytest.raises(donjon.UnknownPermission):
        may.require_any("document:read", "document:fly")
    with pytest.raises(donjon.UnknownRole):
        may.require_role("ghost")
    with pytest.raises(donjon.PolicyInputRefused):
        may.require("document::")


def test_a_requirement_of_nothing_is_a_mistake_of_the_route() -> None:
    may = Service().may
    with pytest.raises(donjon.InvalidArgument):
        may.require_any()
    with pytest.raises(donjon.InvalidArgument):
        may.require_all()
    with pytest.raises(donjon.InvalidArgument):
        may.require_any("document:read:{a}", "document:update:{b}")


async def test_a_policy_is_replaced_while_the_service_runs(service: Service) -> None:
    forbidden(await service.get("/read", "auditor"))
    document = json.loads(json.dumps(DOCUMENT))
    document["roles"]["auditor"]["allow"].append("document:read")
    service.may.policy = newer = Policy(document)
    assert service.may.policy is newer
    assert (await service.get("/read", "auditor")).status_code == 200


async def test_a_policy_that_lacks_what_routes_require_is_refused(service: Service) -> None:
    before = service.may.policy
    for lacking, error in (("user:list", donjon.UnknownPermission), ("viewer", donjon.UnknownRole)):
        document = json.loads(json.dumps(DOCUMENT))
        if lacking in document["permissions"]:
            document["permissions"].remove(lacking)
        else:
            document["roles"] = {"admin": {"allow": ["*"]}}
            del document["constraints"]
        with pytest.raises(error):
            service.may.policy = Policy(document)
        assert service.may.policy is before
    assert (await service.get("/audit/users", "admin")).status_code == 200


async def test_a_request_is_decided_by_one_policy() -> None:
    service = Service()
    may = service.may
    both = Policy(DOCUMENT)
    none = Policy({**DOCUMENT, "roles": {"viewer": {}}, "constraints": {}})

    async def swap(_: Annotated[Claims, Depends(may.require("document:read"))]) -> None:
        may.policy = none

    @service.app.get(
        "/",
        dependencies=[Depends(swap), Depends(may.require_all("document:read", "document:update"))],
    )
    async def root() -> str:
        return "in"

    assert (await service.get("/", "editor")).status_code == 200
    forbidden(await service.get("/", "editor"))
    may.policy = both
    assert (await service.get("/", "editor")).status_code == 200


async def test_many_requests_at_once_are_each_their_own(service: Service) -> None:
    async def one(number: int) -> bool:
        role = "viewer" if number % 2 else "auditor"
        response = await service.get("/read", role)
        return response.status_code == (200 if number % 2 else 403)

    assert all(await asyncio.gather(*(one(number) for number in range(50))))


# ---- roles and tenants from elsewhere ----


async def test_roles_may_come_from_a_store() -> None:
    stored: dict[str, list[str]] = {"ann": ["viewer"]}

    def roles(user: Claims) -> list[str]:
        return stored[str(user.subject)]

    async def slow_roles(user: Claims) -> tuple[str, ...]:
        await asyncio.sleep(0)
        return tuple(roles(user))

    sources: list[Callable[[Claims], Any]] = [roles, slow_roles]
    for source in sources:
        service = Service(roles=source)

        @service.app.get("/", dependencies=[Depends(service.may.require("document:read"))])
        def root() -> str:
            return "in"

        stored["ann"] = ["viewer"]
        assert (await service.get("/", "ghost")).status_code == 200
        forbidden(await service.get("/", permissions=["audit:read"]))
        forbidden(await service.get("/", permissions=[]))
        stored["ann"] = []
        forbidden(await service.get("/", "viewer"))


async def test_a_function_that_looks_roles_up_does_not_block_the_loop() -> None:
    seen: list[int] = []

    def roles(_: Claims) -> list[str]:
        seen.append(threading.get_ident())
        return ["viewer"]

    service = Service(roles=roles)

    @service.app.get("/", dependencies=[Depends(service.may.require("document:read"))])
    def root() -> str:
        return "in"

    assert (await service.get("/")).status_code == 200
    assert len(seen) == 1
    assert threading.get_ident() not in seen


class Site:
    """A service whose users have sessions, and roles in a table."""

    def __init__(self) -> None:
        self.roles: dict[str, Any] = {
            "ann": ["viewer"],
            "eve": ["auditor", "editor"],
            "odd": "admin",
        }
        keyring = Keyring.generate(purposes=["device", "csrf"])
        self.auth = SessionAuth(AsyncSessionManager(keyring, MemoryRecords()))
        self.may = Authorizer(self.auth, Policy(DOCUMENT), roles=self.roles_of)
        self.app = FastAPI()
        self.auth.install(self.app)
        self.may.install(self.app)

        @self.app.post("/log-in/{subject}")
        async def log_in(subject: str, request: Request) -> None:
            await self.auth.log_in(request, subject)

        @self.app.get("/documents/{document_id}")
        def read(
            session: Annotated[Session, Depends(self.may.require("document:read:{document_id}"))],
        ) -> str:
            return session.subject

        @self.app.get("/inside")
        def inside(subject: Annotated[Subject, Depends(self.may.subject)]) -> None:
            subject.require("document:update", 7)

    async def roles_of(self, session: Session) -> Any:
        return self.roles.get(session.subject, [])

    def client(self) -> AsyncClient:
        transport = ASGITransport(self.app, raise_app_exceptions=False)
        site = {"Sec-Fetch-Site": "same-origin"}
        return AsyncClient(transport=transport, base_url="https://site.example", headers=site)


async def test_a_sessions_roles_are_looked_up(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    for subject, status in (("ann", 200), ("stranger", 403), ("eve", 403), ("odd", 500)):
        async with site.client() as client:
            assert (await client.get("/documents/7")).status_code == 401
            await client.post(f"/log-in/{subject}")
            answer = await client.get("/documents/7")
            assert answer.status_code == status
            assert status != 200 or answer.json() == subject
            assert "www-authenticate" not in answer.headers
    async with site.client() as client:
        await client.post("/log-in/ann")
        with caplog.at_level(logging.INFO, "donjon.fastapi"):
            inside = await client.get("/inside")
        assert (inside.status_code, inside.json()) == (403, {"detail": "Forbidden"})
        assert "www-authenticate" not in inside.headers
        assert caplog.messages[-1] == "permission denied: missing"
        site.roles["ann"] = ["barred"]
        assert (await client.get("/documents/7")).status_code == 403
        assert (await client.get("/documents/8")).status_code == 200


def test_openapi_shows_what_a_session_needs() -> None:
    document = Site().app.openapi()
    operation = document["paths"]["/documents/{document_id}"]["get"]
    assert operation["security"] == [{"session": ["document:read:{document_id}"]}]
    assert operation["x-permissions"] == ["document:read:{document_id}"]
    assert document["components"]["securitySchemes"]["session"]["in"] == "cookie"


def test_a_session_without_roles_is_a_mistake() -> None:
    keyring = Keyring.generate(purposes=["device", "csrf"])
    auth: Any = SessionAuth(AsyncSessionManager(keyring, MemoryRecords()))
    with pytest.raises(TypeError, match="looked up"):
        Authorizer(auth, Policy(DOCUMENT))


async def test_one_text_is_no_list_of_roles() -> None:
    async def later(_: Claims) -> Any:
        return "admin"

    sources: list[Callable[[Claims], Any]] = [lambda _: "admin", later]
    for source in sources:
        service = Service(roles=source)
        letters = {role: {"allow": ["document:read"]} for role in "admin"}
        service.may.policy = Policy({**DOCUMENT, "roles": letters, "constraints": {}})

        @service.app.get("/", dependencies=[Depends(service.may.require("document:read"))])
        def root() -> str:
            return "in"

        assert (await service.get("/")).status_code == 500


async def test_a_tenants_roles_are_good_in_its_paths() -> None:
    def tenant(tenant_id: str) -> str:
        return tenant_id

    service = Service(tenant=tenant)

    @service.app.get(
        "/{tenant_id}/audit", dependencies=[Depends(service.may.require("audit:read"))]
    )
    def audit() -> str:
        return "in"

    assert (await service.get("/acme/audit", "auditor@acme")).status_code == 200
    assert (await service.get("/acme/audit", "auditor")).status_code == 200
    forbidden(await service.get("/other/audit", "auditor@acme"))
    for hostile in ("a@b", "a%20b", "%00", "x" * 5000):
        forbidden(await service.get(f"/{hostile}/audit", "auditor"))


async def test_roles_that_exclude_each_other_are_forbidden_and_not_an_error(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "donjon.fastapi"):
        forbidden(await service.get("/read", "auditor", "editor"))
    assert caplog.messages == ["permission denied: separation_of_duty"]


# ---- what is told ----


async def test_the_log_says_why(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "donjon.fastapi"):
        for path, role in (("/read", "auditor"), ("/documents/7", "barred"), ("/role", "admin")):
            forbidden(await service.get(path, role, "ghost"))
        forbidden(await service.get("/inside/7", "viewer"))
    missing, denied, role_missing, inside = (vars(record)["donjon"] for record in caplog.records)
    assert caplog.messages == [
        "permission denied: missing",
        "permission denied: denied",
        "permission denied: permission_denied",
        "permission denied: missing",
    ]
    assert (missing["subject"], missing["needs"]) == ("ann", ["document:read"])
    assert missing["explanation"]["unknown_roles"] == ["ghost"]
    assert missing["policy"] == service.may.policy.digest.hex()
    assert denied["needs"] == ["document:read:{document_id}"]
    assert denied["explanation"]["permissions"][0]["denies"][0]["grant"] == "document:read:7"
    assert role_missing["needs"] == ["role viewer"]
    assert inside["explanation"]["permissions"][0]["permission"] == "document:update:7"


async def test_the_log_names_the_policy_that_denied(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    may = service.may
    before = may.policy

    def swap(_: Annotated[Subject, Depends(may.subject)]) -> None:
        may.policy = Policy({**DOCUMENT, "name": "after"})

    @service.app.get("/", dependencies=[Depends(swap), Depends(may.require("audit:read"))])
    @service.app.get("/role", dependencies=[Depends(swap), Depends(may.require_role("auditor"))])
    def root() -> None: ...

    @service.app.get("/inside", dependencies=[Depends(swap)])
    def inside(subject: Annotated[Subject, Depends(may.subject)], role: bool = False) -> None:
        subject.require_role("auditor") if role else subject.require("audit:read")

    may.install(service.app)
    with caplog.at_level(logging.INFO, "donjon.fastapi"):
        for path in ("/", "/role", "/inside", "/inside?role=true"):
            may.policy = before
            forbidden(await service.get(path, "viewer"))
            assert may.policy is not before
    assert len(caplog.records) == 4
    for record in caplog.records:
        assert vars(record)["donjon"]["policy"] == before.digest.hex()


async def test_openapi_shows_what_is_needed(service: Service) -> None:
    for _ in range(2):  # FastAPI keeps the document.
        paths = (await service.get_with("/openapi.json", {})).json()["paths"]
        operation = paths["/documents/{document_id}"]["get"]
        assert operation["security"] == [{"bearer": ["document:read:{document_id}"]}]
        assert operation["x-permissions"] == ["document:read:{document_id}"]
        assert operation["responses"]["403"]["description"] == "Needs document:read:{document_id}"
        assert operation["parameters"][0]["schema"]["type"] == "integer"
        needs = {
            path: paths[path]["get"]["x-permissions"] for path in ("/either", "/both", "/role")
        }
        assert needs == {
            "/either": ["audit:read or document:update"],
            "/both": ["document:read", "document:update"],
            "/role": ["role viewer"],
        }
        users = paths["/audit/users"]["get"]
        assert users["responses"]["403"]["description"] == "Needs audit:read and user:list"
        assert "x-permissions" not in paths["/inside/{document_id}"]["get"]


async def test_a_description_of_the_services_own_stays() -> None:
    service = Service()
    responses: dict[int | str, dict[str, Any]] = {403: {"description": "Not yours"}}

    @service.app.get(
        "/", responses=responses, dependencies=[Depends(service.may.require("audit:read"))]
    )
    def root() -> None: ...

    service.may.install(service.app)
    operation = service.app.openapi()["paths"]["/"]["get"]
    assert operation["responses"]["403"]["description"] == "Not yours"
    assert operation["x-permissions"] == ["audit:read"]


async def test_without_install_a_route_requires_all_the_same() -> None:
    service = Service()

    @service.app.get("/", dependencies=[Depends(service.may.require("audit:read"))])
    def root() -> str:
        return "in"

    forbidden(await service.get("/", "viewer"))
    operation = service.app.openapi()["paths"]["/"]["get"]
    assert operation["security"] == [{"bearer": ["audit:read"]}]
