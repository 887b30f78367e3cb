"""donjon beside its peers, as a web service uses them: JSON lines on standard output."""

from __future__ import annotations

import os

import envelopes
import passwords
import rate_limits
import roles
import sessions
import tokens

CAPABILITIES = {
    "tokens": tokens,
    "passwords": passwords,
    "roles": roles,
    "envelopes": envelopes,
    "limits": rate_limits,
    "sessions": sessions,
}

if __name__ == "__main__":
    for name, capability in CAPABILITIES.items():
        if os.environ.get("ONLY", "") in ("", name):
            capability.measure()
