"""docs/limits.svg is what its script draws from the kernel, and no algorithm exceeds its bound in it."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import pytest
from fences import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import plot_limits

DRAWN = ROOT / "docs/limits.svg"


def test_the_picture_is_what_the_script_draws() -> None:
    """`python docs/plot_limits.py > docs/limits.svg` draws what has to be there."""
    assert DRAWN.read_bytes() == plot_limits.svg().encode()


def test_the_picture_is_well_formed_and_stands_alone() -> None:
    """No font, script or image from elsewhere."""
    root = ElementTree.parse(DRAWN).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = DRAWN.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    for outside in ("http", "<script", "<image", "@import", "@font-face", "href"):
        assert outside not in text


@pytest.mark.parametrize("panel", plot_limits.panels(), ids=lambda panel: panel.name)
def test_the_picture_tells_the_most_that_was_admitted_in_a_period(
    panel: plot_limits.Panel,
) -> None:
    """Counted here by comparing every two, and not as the picture counts."""
    times = plot_limits.admitted_times(panel)
    most = max(
        sum(begin <= at < begin + plot_limits.PERIOD_MS for at in times) for begin in times
    )
    assert most <= panel.most
    assert f">{most} in {plot_limits.PERIOD_S} s<" in DRAWN.read_text(encoding="utf-8")
