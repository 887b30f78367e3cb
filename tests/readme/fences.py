"""The fenced code blocks of a Markdown file, and what each promises to print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# Languages that are run. The rest is shown, not run; any other word after a fence is a typing error.
RUN = {"python", "go", "c"}
SHOWN = {"sh", "json", "text"}

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTS = re.compile(
    r"^\s*(?:print|fmt\.Println|printf|puts)\(.*\);?\s+(?:#|//) (.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """One block. `note` is what follows the language: `before` marks code of another library."""

    document: Path
    line: int
    language: str
    note: str
    code: str

    @property
    def promised(self) -> list[str]:
        """What the comments behind its prints say that they print."""
        return _PRINTS.findall(self.code)

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(document: Path) -> list[Block]:
    """Return the blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, note = match[1].partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(document, line, language, note, match[2]))
    return found


def prose(document: Path) -> str:
    """Return a document without its blocks."""
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def of_language(language: str, note: str = "") -> list[Block]:
    """Return the blocks in one language, of all documents."""
    found = [block for document in DOCUMENTS for block in blocks(document)]
    return [block for block in found if (block.language, block.note) == (language, note)]
