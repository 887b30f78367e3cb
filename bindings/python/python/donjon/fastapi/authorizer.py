"""Whether somebody may: `Authorizer`."""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, overload

from fastapi import Depends, FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase
from typing_extensions import TypeVar

from donjon import (
    Claims,
    DonjonError,
    InvalidArgument,
    PermissionDenied,
    Policy,
    PolicyError,
    Subject,
)
from donjon.fastapi.bearer import BearerAuth
from donjon.fastapi.instance import instance_of
from donjon.fastapi.session_auth import SessionAuth, ask
from donjon.sessions import Session

_log = logging.getLogger("donjon.fastapi")

_FORBIDDEN = "Forbidden"

User = TypeVar("User", Claims, Session, default=Claims)
Roles = Collection[str] | Awaitable[Collection[str]]


class _Declared:
    """Refuses `Depends(may.require)`, the call forgotten, where the route is declared.

    FastAPI would take the permission from the query of each request, and let everybody in.
    """

    def __get_pydantic_core_schema__(self, *_: object) -> Any:
        raise TypeError("a requirement is called: Depends(may.require(...))")


# Positional only as well: FastAPI passes by name.
_Name = Annotated[str, _Declared()]


class Authorizer(Generic[User]):
    """Dependencies that let the caller in or answer 403, by one policy.

        may = Authorizer(auth, policy)

        @app.get("/documents/{document_id}")
        def read(
            document_id: int,
            user: Annotated[Claims, Depends(may.require("document:read:{document_id}"))],
        ) -> str: ...

    What is required is known when a route is declared, so what the policy's catalogue lacks is an
    `UnknownPermission` there, and again where another policy is assigned to `policy`: that replaces
    the old one for requests to come, or is refused as a whole.

    The roles are those of the token, unless `roles` looks them up for its claims, and the token's
    `permissions` narrow them. A session has no roles in it: over a `SessionAuth`, `roles` looks
    them up for its `Session`, and that is what a requirement returns. A function that is not async
    runs on a thread, as FastAPI's own dependencies do. `tenant` is a dependency: who has a role in
    that tenant has it. The dependency `subject` is what the caller may do, for what is asked inside
    a route.
    """

    @overload
    def __init__(
        self: "Authorizer[Claims]",
        auth: BearerAuth,
        policy: Policy,
        *,
        roles: Callable[[Claims], Roles] | None = None,
        tenant: Callable[..., Any] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: "Authorizer[Session]",
        auth: SessionAuth,
        policy: Policy,
        *,
        roles: Callable[[Session], Roles],
        tenant: Callable[..., Any] | None = None,
    ) -> None: ...

    def __init__(
        self,
        auth: BearerAuth | SessionAuth,
        policy: Policy,
        *,
        roles: Callable[[Any], Roles] | None = None,
        tenant: Callable[..., Any] | None = None,
    ) -> None:
        if isinstance(auth, SessionAuth):
            if roles is None:
                raise TypeError("a session has no roles in it: roles have to be looked up")
            self._user: SecurityBase = auth.current_session
            self._challenge = None
        else:
            self._user = auth.current_user
            self._challenge = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
        self._policy = _a_policy(policy)
        self._roles = roles
        self._needs: set[_Need] = set()
        self.subject = self._activation(tenant or _no_tenant)

    @property
    def policy(self) -> Policy:
        """The policy that decides."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        for need in self._needs:
            need.check(_a_policy(policy))
        self._policy = _a_policy(policy)

    def require(self, permission: _Name, /) -> Callable[..., Awaitable[User]]:
        """Let in who has this permission.

        The last segment may be a parameter of the path, in braces: then its value is which one.
        """
        return self._requirement(_Need.of("all", (permission,)))

    def require_any(self, *permissions: _Name) -> Callable[..., Awaitable[User]]:
        """Let in who has one of these permissions."""
        return self._requirement(_Need.of("any", permissions))

    def require_all(self, *permissions: _Name) -> Callable[..., Awaitable[User]]:
        """Let in who has all of these permissions."""
        return self._requirement(_Need.of("all", permissions))

    def require_role(self, role: _Name, /) -> Callable[..., Awaitable[User]]:
        """Let in who has this role, by itself or by inheritance. A permission is mostly better."""
        return self._requirement(_Need("role", (role,), (role,)))

    def install(self, app: FastAPI) -> None:
        """Answer 403 to a `PermissionDenied` of a route, and show in OpenAPI what routes require.

        As `x-permissions`, and in the description of the answer 403, where Swagger UI has it.
        """

        def forbidden(_: Request, error: PermissionDenied) -> JSONResponse:
            digest = error.policy_digest or self._policy.digest
            self._log_denial(None, (), error, digest)
            return JSONResponse({"detail": _FORBIDDEN}, 403, self._challenge)

        app.add_exception_handler(PermissionDenied, forbidden)  # type: ignore[arg-type]
        original = app.openapi

        def openapi() -> dict[str, Any]:
            document = original()
            _describe(document, self._user.scheme_name)
            return document

        app.openapi = openapi  # type: ignore[method-assign]

    def _activation(self, tenant_of: Callable[..., Any]) -> Callable[..., Awaitable[Subject]]:
        async def subject(
            user: Annotated[Any, Depends(self._user)],
            tenant: Annotated[Any, Depends(tenant_of)],
        ) -> Subject:
            policy = self._policy
            try:
                if self._roles is None:
                    return policy.subject_of(user, tenant=tenant)
                roles = await ask(self._roles, user)
                if isinstance(roles, str):
                    raise TypeError("roles are a list of texts, and not one text")
                return policy.subject(tuple(roles), tenant=tenant, permissions=_narrowed(user))
            except (PolicyError, InvalidArgument) as error:
                # Roles that exclude each other; or the path has a tenant that is none.
                self._log_denial(user, (), error, policy.digest)
                raise self._forbidden() from None

        return subject

    def _forbidden(self) -> HTTPException:
        return HTTPException(403, _FORBIDDEN, headers=self._challenge)

    def _requirement(self, need: "_Need") -> Callable[..., Awaitable[User]]:
        need.check(self._policy)
        self._needs.add(need)

        async def requirement(
            request: Request,
            user: Annotated[User, Depends(self._user)],
            subject: Annotated[Subject, Depends(self.subject)],
            _: Annotated[None, Security(_Documented(self._user), scopes=need.scopes)],
        ) -> User:
            try:
                need.demand(subject, request)
            except PermissionDenied as error:
                self._log_denial(user, need.scopes, error, subject.policy.digest)
                raise self._forbidden() from None
            return user

        return requirement

    def _log_denial(
        self, user: Claims | Session | None, needs: Iterable[str], error: DonjonError, digest: bytes
    ) -> None:
        explanation = getattr(error, "explanation", None)
        reason = explanation["reason"] if explanation else error.reason
        details = {
            "subject": user.subject if user else None,
            "needs": list(needs),
            "message": str(error),
            "explanation": explanation,
            "policy": digest.hex(),
        }
        _log.info("permission denied: %s", reason, extra={"donjon": details})


@dataclass(frozen=True)
class _Need:
    """What a route requires: permissions, all of one instance or of none, or a role."""

    mode: Literal["any", "all", "role"]
    declared: tuple[str, ...]
    names: tuple[str, ...]
    parameter: str | None = None

    @classmethod
    def of(cls, mode: Literal["any", "all"], permissions: tuple[str, ...]) -> "_Need":
        split = [_split(permission) for permission in permissions]
        parameters = {parameter for _, parameter in split}
        if len(parameters) != 1:
            raise InvalidArgument("permissions of one route are of one path parameter, or of none")
        return cls(mode, permissions, tuple(name for name, _ in split), parameters.pop())

    @property
    def scopes(self) -> list[str]:
        """What stands in OpenAPI: all of them are needed."""
        if self.mode == "role":
            return [f"role {self.names[0]}"]
        return [" or ".join(self.declared)] if self.mode == "any" else list(self.declared)

    def check(self, policy: Policy) -> None:
        if self.mode == "role":
            policy.check_role(self.names[0])
            return
        for permission in self.declared:
            policy.check_permission(permission)

    def demand(self, subject: Subject, request: Request) -> None:
        if self.mode == "role":
            subject.require_role(self.names[0])
            return
        instance = None if self.parameter is None else instance_of(request, self.parameter)
        if self.mode == "any":
            subject.require_any(self.names, instance)
        else:
            subject.require_all(self.names, instance)


class _Documented(SecurityBase):
    """Demands nothing, and is in OpenAPI what carries the permissions.

    Who the user is does not, so that one request is asked for that once, whatever it requires.
    """

    def __init__(self, scheme: SecurityBase) -> None:
        self.scheme_name = scheme.scheme_name
        self.model = scheme.model

    async def __call__(self) -> None:
        pass


async def _no_tenant() -> None:
    pass


def _split(permission: str) -> tuple[str, str | None]:
    """Return the permission and the path parameter that its last segment is, if it is one."""
    name, _, last = permission.rpartition(":")
    if name and last.startswith("{") and last.endswith("}"):
        return name, last[1:-1]
    return permission, None


def _a_policy(policy: Policy) -> Policy:
    if not isinstance(policy, Policy):
        raise TypeError(f"a policy is a donjon.Policy, not a {type(policy).__name__}")
    return policy


def _narrowed(user: Claims | Session) -> tuple[str, ...] | None:
    """Return what the token is limited to, if it is one and says so."""
    return user.permissions if isinstance(user, Claims) and "permissions" in user else None


def _describe(document: dict[str, Any], scheme_name: str) -> None:
    operations = (
        operation
        for path in document.get("paths", {}).values()
        for operation in path.values()
        if isinstance(operation, dict)
    )
    for operation in operations:
        needs = [
            need for scheme in operation.get("security", ()) for need in scheme.get(scheme_name, ())
        ]
        if needs:
            operation["x-permissions"] = needs
            described = {"description": f"Needs {' and '.join(needs)}"}
            operation.setdefault("responses", {}).setdefault("403", described)
