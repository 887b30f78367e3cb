"""The log of this service, in which a refusal has its reason, and a denial its explanation."""

from __future__ import annotations

import json
import logging


class Explained(logging.Formatter):
    """Adds what `donjon.fastapi` knows of a denial."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line = super().format(record)
        details = getattr(record, "donjon", None)
        return f"{line} {json.dumps(details)}" if details else line


def set_up() -> None:
    """Log to the standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Explained("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
