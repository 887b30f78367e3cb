"""Draws docs/limits.svg: what each algorithm admits of the same arrivals, as the kernel decides.

    python docs/plot_limits.py > docs/limits.svg

Nothing is drawn by chance or by the clock: the same kernel draws the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from donjon import Limits

AMOUNT, PERIOD_S = 10, 10
SPAN_S = 60
PERIOD_MS = PERIOD_S * 1000

# Where things are, in pixels.
WIDTH, LEFT, RIGHT = 930, 218, 152
TOP, ARRIVALS, ROW, GAP, FOOT = 104, 40, 76, 38, 76
PLOT = WIDTH - LEFT - RIGHT
MOST_SHOWN = 21


class Panel(NamedTuple):
    """One algorithm, and how it is told about."""

    name: str
    about: str
    bound: str
    most: int
    limits: Limits


def panels() -> list[Panel]:
    """Return the algorithms, from the least exact to the most."""
    text = f"{AMOUNT} per {PERIOD_S} seconds"

    def panel(name: str, about: str, bound: str, most: int, limits: Limits) -> Panel:
        return Panel(name, about, bound, most, limits)

    return [
        panel("fixed_window", "forgets all at once", "2N", 20, Limits(text, algorithm="fixed_window")),
        panel("gcra, burst 10", "= token_bucket", "N + burst − 1", 19, Limits(text)),
        panel("sliding_window", "two counters, weighted", "under 2N", 19, Limits(text, algorithm="sliding_window")),
        panel("gcra, burst 3", "three at once, then even", "N + burst − 1", 12, Limits(text, burst=3)),
        panel("sliding_log", "remembers each, N to 64", "N", 10, Limits(text, algorithm="sliding_log")),
    ]


def arrivals() -> list[int]:
    """Return when requests come, in milliseconds: two bursts around an edge, some more, a crowd, a burst."""
    return sorted(
        [
            1_000,
            *spread(9_300, 10_700, 14),
            *spread(11_300, 12_700, 14),
            *spread(15_000, 19_200, 8),
            *spread(26_000, 44_000, 45),
            *spread(52_500, 54_000, 16),
        ]
    )


def spread(begin_ms: int, end_ms: int, count: int) -> Iterator[int]:
    """Yield that many times, evenly."""
    for at in range(count):
        yield begin_ms + (end_ms - begin_ms) * at // (count - 1)


def admitted(limits: Limits) -> list[bool]:
    """Return which arrivals get in."""
    state, verdicts = b"", []
    for now_ms in arrivals():
        verdict, state = limits.spend(state, now_ms=now_ms)
        verdicts.append(verdict.allowed)
    return verdicts


def in_the_last_period(times: list[int]) -> list[tuple[int, int]]:
    """Return how many of the times lie in the period that ends now, as steps: from when on, how many."""
    changes = sorted([(at, 1) for at in times] + [(at + PERIOD_MS, -1) for at in times])
    steps, count = [(0, 0)], 0
    for at, change in changes:
        count += change
        if steps[-1][0] == at:
            steps[-1] = (at, count)
        else:
            steps.append((at, count))
    return [step for step in steps if step[0] <= SPAN_S * 1000]


def x(at_ms: int) -> str:
    """Return where a time is."""
    return number(LEFT + PLOT * at_ms / (SPAN_S * 1000))


def y(base: float, count: float) -> str:
    """Return where a count is, above the base of its row."""
    return number(base - ROW * count / MOST_SHOWN)


def number(value: float) -> str:
    """Write a coordinate: a tenth of a pixel will do."""
    return f"{value:.1f}".removesuffix(".0")


LIGHT = {
    "page": "#ffffff",
    "ink": "#1f2328",
    "soft": "#59636e",
    "rule": "#d1d9e0",
    "band": "#f6f8fa",
    "in": "#0969da",
    "fill": "#b6d7ff",
    "over": "#d4631a",
    "out": "#8c959f",
}
DARK = {
    "page": "#0d1117",
    "ink": "#f0f6fc",
    "soft": "#9198a1",
    "rule": "#30363d",
    "band": "#151b23",
    "in": "#58a6ff",
    "fill": "#1f3f66",
    "over": "#f0883e",
    "out": "#6e7681",
}

SHAPES = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
    .title { font-size: 18px; font-weight: 600; }
    .name { font: 600 12.5px ui-monospace, Menlo, Consolas, monospace; }
    .small { font-size: 11px; } .most { font-size: 15px; font-weight: 600; }
    .right { text-anchor: end; } .middle { text-anchor: middle; }
    .limit { stroke-dasharray: 4 3; } .in { stroke-width: 1.6; } .out { opacity: .75; }
    .line { fill: none; stroke-width: 1.4; stroke-linejoin: round; }
"""

COLOURS = """
    .page {{ fill: {page}; }} .band {{ fill: {band}; }} .area {{ fill: {fill}; }} .over {{ fill: {over}; }}
    text {{ fill: {ink}; }} .soft {{ fill: {soft}; }} .in-text {{ fill: {in}; }} .over-text {{ fill: {over}; }}
    .grid {{ stroke: {rule}; }} .axis {{ stroke: {soft}; }} .limit, .all {{ stroke: {ink}; }}
    .line, .in {{ stroke: {in}; }} .out {{ stroke: {out}; }}
"""


def style() -> str:
    """Return the style sheet: one palette, and another where a reader prefers the dark."""
    dark = COLOURS.format_map(DARK).strip("\n")
    return f"{SHAPES}{COLOURS.format_map(LIGHT)}    @media (prefers-color-scheme: dark) {{\n{dark}\n    }}\n"


def svg() -> str:
    """Return the picture."""
    made = panels()
    below = TOP + ARRIVALS + GAP - 8
    height = below + len(made) * (ROW + GAP) - GAP + FOOT
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title description">'
        ),
        f'  <title id="title">What a limit of {AMOUNT} in {PERIOD_S} seconds admits, by algorithm</title>',
        f'  <desc id="description">{described(made)}</desc>',
        f"  <style>{style()}  </style>",
        f'  <rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
        text(24, 36, f"{AMOUNT} per {PERIOD_S} seconds, five ways", "title"),
        text(
            24,
            58,
            f"The same {len(arrivals())} requests, decided by the kernel. Curves: how many were admitted in the last {PERIOD_S} s.",
            "soft",
        ),
        *legend(80),
        *grid(TOP, height - FOOT + 30),
        *arriving(TOP + ARRIVALS),
    ]
    for index, panel in enumerate(made):
        parts += row(panel, below + index * (ROW + GAP) + ROW, f"c{index}")
    parts += times(height - FOOT + 30)
    return "\n".join([*parts, "</svg>", ""])


def described(made: list[Panel]) -> str:
    """Say in words what is to be seen."""
    told = [
        f"{panel.name}: {sum(admitted(panel.limits))} admitted, at most {most(panel)} in {PERIOD_S} seconds"
        for panel in made
    ]
    return f"Of {len(arrivals())} requests in {SPAN_S} seconds: {'; '.join(told)}."


def most(panel: Panel) -> int:
    """Return the most that were admitted in one period."""
    found = max(count for _, count in in_the_last_period(admitted_times(panel)))
    if found > panel.most:
        raise AssertionError(f"{panel.name} admitted {found}, which is over its bound")
    return found


def admitted_times(panel: Panel) -> list[int]:
    """Return when somebody got in."""
    return [at for at, is_in in zip(arrivals(), admitted(panel.limits), strict=True) if is_in]


def text(left: float, base: float, words: str, classes: str = "") -> str:
    """Write something."""
    attribute = f' class="{classes}"' if classes else ""
    return f'  <text x="{number(left)}" y="{number(base)}"{attribute}>{words}</text>'


def ticks(at: list[int], top: float, bottom: float, name: str) -> str:
    """Draw a stroke for each time."""
    path = "".join(f"M{x(one)} {number(top)}V{number(bottom)}" for one in at)
    return f'  <path class="{name}" d="{path}"/>'


def legend(base: float) -> list[str]:
    """Say what is what."""
    strokes = "".join(f"M{LEFT + 3 * at} {number(base - 9)}V{number(base + 1)}" for at in range(3))
    shifted = "".join(f"M{LEFT + 116 + 3 * at} {number(base - 9)}V{number(base + 1)}" for at in range(3))
    return [
        f'  <path class="in" d="{strokes}"/>',
        text(LEFT + 14, base, "admitted", "soft"),
        f'  <path class="out" d="{shifted}"/>',
        text(LEFT + 130, base, "refused", "soft"),
        f'  <path class="limit" d="M{LEFT + 226} {number(base - 4)}h22"/>',
        text(LEFT + 254, base, f"N = {AMOUNT}", "soft"),
        f'  <rect class="over" x="{LEFT + 336}" y="{number(base - 10)}" width="14" height="11"/>',
        text(LEFT + 356, base, "more than N in a period", "soft"),
    ]


def grid(top: float, bottom: float) -> list[str]:
    """Draw a line every ten seconds."""
    lines = "".join(f"M{x(at * 1000)} {number(top)}V{number(bottom)}" for at in range(0, SPAN_S + 1, 10))
    return [f'  <path class="grid" d="{lines}"/>']


def arriving(base: float) -> list[str]:
    """Draw what comes, and how much of it in the last period."""
    return [
        text(24, base - 20, "what comes", "name"),
        text(24, base - 4, f"{len(arrivals())} requests", "soft small"),
        ticks(arrivals(), base - 34, base, "all"),
        f'  <path class="axis" d="M{LEFT} {number(base)}H{LEFT + PLOT}"/>',
    ]


def row(panel: Panel, base: float, clip: str) -> list[str]:
    """Draw what one algorithm makes of it."""
    verdicts = admitted(panel.limits)
    into = [at for at, is_in in zip(arrivals(), verdicts, strict=True) if is_in]
    out = [at for at, is_in in zip(arrivals(), verdicts, strict=True) if not is_in]
    steps = in_the_last_period(into)
    outline = f"M{x(0)} {y(base, 0)}"
    for (_, count), (later, _) in pairwise([*steps, (SPAN_S * 1000, 0)]):
        outline += f"V{y(base, count)}H{x(later)}"
    found = most(panel)
    return [
        f'  <clipPath id="{clip}"><path d="{outline}V{y(base, 0)}Z"/></clipPath>',
        f'  <rect class="band" x="{LEFT}" y="{y(base, MOST_SHOWN)}" width="{PLOT}" height="{ROW}"/>',
        *(
            text(LEFT - 6, float(y(base, count)) + 4, str(count), "soft small right")
            for count in (0, AMOUNT, 2 * AMOUNT)
        ),
        (
            f'  <rect class="area" clip-path="url(#{clip})" x="{LEFT}" y="{y(base, AMOUNT)}" width="{PLOT}" '
            f'height="{number(ROW * AMOUNT / MOST_SHOWN)}"/>'
        ),
        (
            f'  <rect class="over" clip-path="url(#{clip})" x="{LEFT}" y="{y(base, MOST_SHOWN)}" width="{PLOT}" '
            f'height="{number(ROW * (MOST_SHOWN - AMOUNT) / MOST_SHOWN)}"/>'
        ),
        f'  <path class="line" d="{outline}"/>',
        f'  <path class="limit" d="M{LEFT} {y(base, AMOUNT)}h{PLOT}"/>',
        f'  <path class="axis" d="M{LEFT} {number(base)}h{PLOT}"/>',
        ticks(into, base + 4, base + 15, "in"),
        ticks(out, base + 18, base + 25, "out"),
        (
            f'  <text class="soft small middle" transform="translate({LEFT - 30} {number(base - ROW / 2)}) rotate(-90)">'
            f"in {PERIOD_S} s</text>"
        ),
        text(24, base - ROW + 18, panel.name, "name"),
        text(24, base - ROW + 35, panel.about, "soft small"),
        text(24, base + 14, f"{len(into)} admitted", "in-text small"),
        text(24, base + 27, f"{len(out)} refused", "soft small"),
        text(
            LEFT + PLOT + 14,
            base - ROW + 18,
            f"{found} in {PERIOD_S} s",
            f"most {'over-text' if found > AMOUNT else 'in-text'}",
        ),
        text(LEFT + PLOT + 14, base - ROW + 35, "the most here", "soft small"),
        text(LEFT + PLOT + 14, base - 4, f"bound: {panel.bound}", "soft small"),
    ]


def times(base: float) -> list[str]:
    """Write what the axis means."""
    marks = [text(float(x(at * 1000)), base + 18, str(at), "soft small middle") for at in range(0, SPAN_S + 1, 10)]
    return [*marks, text(LEFT + PLOT / 2, base + 36, "seconds", "soft middle")]


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(svg())
