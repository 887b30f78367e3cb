"""Why somebody may do something or may not, as the services' logs have it, in words."""

from __future__ import annotations

import json
import re
from typing import Any

from walk import Answer, CannotGoOn

GO_LOG = re.compile(r'explanation\.permissions="\[([^]]*)\]"')


def of_denial(python: Answer, go: Answer) -> str:
    """Return what each log says of a denial."""
    found = GO_LOG.search(go.log)
    if found is None:
        raise CannotGoOn("the Go service's log does not explain the denial")
    return f"python's log: {in_words(logged(python))}\ngo's log:     {found[1]}"


def logged(answer: Answer) -> dict[str, Any]:
    """Read what the Python service's log has of a denial."""
    for line in answer.log.splitlines():
        _, _, details = line.partition("permission denied: ")
        if details:
            found: dict[str, Any] = json.loads(details[details.index("{") :])["explanation"]
            return found
    raise CannotGoOn("the Python service's log does not explain the denial")


def in_words(explanation: dict[str, Any]) -> str:
    """Put an explanation into words."""
    return "; ".join(
        f"{one['permission']} is {one['reason']}"
        + "".join(f", by {origin(grant)}" for grant in one["grants"])
        + "".join(f", against {origin(denial)}" for denial in one["denies"])
        for one in explanation["permissions"]
    )


def origin(grant: dict[str, Any]) -> str:
    """Say whose grant it is, or whose denial."""
    return f"{grant['grant']} of {' → '.join(grant['via'])}"
