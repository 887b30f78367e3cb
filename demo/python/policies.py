"""Who may do what: the policy that both services read, and how it is replaced."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from donjon import Policy, PolicyError
from donjon.fastapi import Authorizer

FILE = Path(os.environ.get("DEMO_POLICY") or Path(__file__).resolve().parents[1] / "policy.json")

log = logging.getLogger("demo")


def read_policy() -> Policy:
    """Read the policy."""
    policy = Policy(FILE.read_bytes())
    for finding in policy.lint():
        log.warning("policy: %s: %s", finding["path"], finding["message"])
    return policy


def replace_policy(may: Authorizer) -> None:
    """Read the policy again. A bad one changes nothing; a good one decides from now on."""
    try:
        before, may.policy = may.policy, read_policy()
    except PolicyError as error:
        log.error("policy refused: %s (%s)", error.reason, error)  # noqa: TRY400  no traceback
        return
    log.info("policy replaced: %s", json.dumps(before.diff(may.policy)))
    log.info("policy digest=%s", may.policy.digest.hex())
