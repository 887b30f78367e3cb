"""Text messages. The gateway's address has a password in it, so the environment has it sealed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

log = logging.getLogger("demo")


class Gateway:
    """Where text messages go."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._url = urlsplit(settings.get("SMS_GATEWAY", ""))

    def greet(self, name: str) -> None:
        """Tell somebody that their number is known now. In the demo nothing is sent."""
        log.info("text message to %s by %s at %s", name, self._url.username, self._url.hostname)
