"""What the services are put through, chapter by chapter."""

from chapters import (
    at_rest,
    devices,
    forgeries,
    imports,
    limits,
    log_in,
    log_out,
    passwords,
    policies,
    refresh,
    reset,
    roles,
    rotation,
)

CHAPTERS = [
    ("A password that is worth having", passwords.tell),
    ("One token, two services", log_in.tell),
    ("Refresh tokens rotate, and a stolen one gives itself away", refresh.tell),
    ("Forged, expired, misplaced", forgeries.tell),
    ("Another signing key, another pepper, and nobody is logged out", rotation.tell),
    ("A password reset works once", reset.tell),
    ("Hashes of other libraries, until the next log-in", imports.tell),
    ("Roles: one policy, two services, one verdict", roles.tell),
    ("Another policy, and nobody logs in again", policies.tell),
    ("At rest: sealed, moved, found, rotated, forgotten", at_rest.tell),
    ("Log out", log_out.tell),
    ("Three devices, a thief, and out of all of them", devices.tell),
    ("Five log-ins a minute, five guesses, ten sessions", limits.tell),
]
