"""The shapes of what keyrings, policies, limits and sessions take and give."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypedDict


class KeySummary(TypedDict):
    """What a log may know of a key."""

    kid: str | None
    kty: str | None
    alg: str | None
    purpose: str
    status: str
    created_s: int | None
    not_after_s: int | None
    thumbprint: str | None


class _MasterKeyRequired(TypedDict):
    purpose: str
    alg: str
    epoch: int


class MasterKey(_MasterKeyRequired, total=False):
    """Which keys of one purpose a master secret is derived into.

    `epoch` is the primary; the next one is derived too, published and active. Those from `oldest`
    on still verify, but for the `disabled` ones.
    """

    oldest: int
    disabled: list[int]


class Diagnosis(TypedDict):
    """What is wrong with a configuration, a key set or a policy, and where."""

    error: str
    path: str
    message: str


class Grant(TypedDict):
    """One grant that bears on a permission: that of `role`, the last of `via`.

    `via` begins with a role of the subject's, and each inherits the next.
    """

    role: str
    via: list[str]
    grant: str


Reason = Literal[
    "granted",
    "denied",
    "missing",
    "unknown_permission",
    "malformed_permission",
    "token_lacks",
    "empty",
]


class ExplainedPermission(TypedDict):
    """Why one permission is had or not."""

    permission: str
    allowed: bool
    reason: Reason
    grants: list[Grant]
    denies: list[Grant]


class Explanation(TypedDict):
    """Why somebody is allowed or not. For a log: a client is not told."""

    allowed: bool
    mode: Literal["any", "all"]
    reason: Reason
    permissions: list[ExplainedPermission]
    unknown_roles: list[str]


class RoleChange(TypedDict):
    """What a role gains and loses, in effective permissions."""

    gained: list[str]
    lost: list[str]


class RoleDiff(TypedDict):
    """Which roles came, went, and changed."""

    added: list[str]
    removed: list[str]
    changed: dict[str, RoleChange]


class ListDiff(TypedDict):
    """Which permissions of the catalogue, or constraints, came and went."""

    added: list[str]
    removed: list[str]


class PolicyDiff(TypedDict):
    """What changes where one policy takes another's place."""

    roles: RoleDiff
    permissions: ListDiff
    constraints: ListDiff


class PolicyFinding(TypedDict):
    """What is likely a mistake in a policy."""

    kind: str
    path: str
    message: str


class PermissionMatrix(TypedDict):
    """Which role has which permission. `some` is some of its instances; what is absent is none."""

    permissions: list[str]
    roles: list[str]
    cells: dict[str, dict[str, Literal["granted", "some", "denied"]]]


class Limit(NamedTuple):
    """One of several limits: `amount` in `period_s`, and `burst` at once."""

    amount: int
    period_s: int
    burst: int


class LimitRefusalDetails(TypedDict):
    """What a client is told. Times are in seconds, `reset_time` since 1970."""

    limit: int
    remaining: int
    reset_time: int
    retry_after: int | None


class LimitRefusalError(TypedDict):
    """What went wrong, in the shape that the documents give to every error."""

    code: str
    message: str
    details: LimitRefusalDetails


class LimitRefusal(TypedDict):
    """The body of a response that refuses. `retry_after` is null if it will never be allowed."""

    error: LimitRefusalError


class LimitProfile(TypedDict):
    """The limit of an endpoint, as `Limits` takes it."""

    limits: str
    algorithm: str


class LockoutCounter(TypedDict):
    """What an attempt to log in is charged to, and what becomes of that if it succeeds."""

    key: str
    on_success: Literal["forget", "give_back"]


class Evicted(NamedTuple):
    """A sign-in that went for another one, because there were too many."""

    handle: str
    kind: Literal["cookie", "tokens"]


class RevocationSetInfo(TypedDict):
    """What a set of revocations says of itself. Times are Unix seconds.

    `ids` are tokens and families; the rate is that of one look-up of another one.
    """

    sequence: int
    issued_at_s: int
    valid_until_s: int
    store_since_s: int
    ids: int
    subjects: int
    keys: int
    bytes: int
    false_positive_rate: float
