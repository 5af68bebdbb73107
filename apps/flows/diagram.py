"""A flow drawn as SVG: how many came through, and where they stayed away. Pure."""

import html
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 180, 56
GAP_X, GAP_Y, MARGIN = 50, 70, 30
MAX_LABEL = 24
FARTHEST = 100_000
"""A node that is drawn farther away has no place of its own."""
THICKEST = 8

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Box:
    """A node: how often it was left, and which share of those who came stayed away there."""

    id: str
    label: str
    count: int = 0
    drop_off: float = 0.0


@dataclass(frozen=True)
class Arrow:
    """What leads from one node to another, and how often it was taken."""

    source: str
    target: str
    label: str = ""
    count: int = 0


def draw(boxes: Sequence[Box], arrows: Iterable[Arrow], positions: Mapping[str, Any]) -> str:
    """The SVG; where the builder's positions are not of use, each node stands below those that lead to it."""
    known = {box.id for box in boxes}
    arrows = [arrow for arrow in arrows if arrow.source in known and arrow.target in known]
    corners = _as_drawn(boxes, positions) or _in_layers(boxes, arrows)
    left, top = (min((corner[axis] for corner in corners.values()), default=0) for axis in (0, 1))
    corners = {node: (x - left + MARGIN, y - top + MARGIN) for node, (x, y) in corners.items()}
    width, height = (max((corner[axis] for corner in corners.values()), default=0) for axis in (0, 1))
    busiest = max((arrow.count for arrow in arrows), default=0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + WIDTH + MARGIN:.0f} '
        f'{height + HEIGHT + MARGIN:.0f}" font-family="sans-serif" font-size="12" text-anchor="middle">',
        '<defs><marker id="head" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" refX="9" refY="5"'
        ' orient="auto"><path d="M0 0L10 5L0 10z" fill="#64748b"/></marker></defs>',
        *(_arrow(arrow, corners[arrow.source], corners[arrow.target], busiest) for arrow in arrows),
        *(_box(box, *corners[box.id]) for box in boxes),
        "</svg>",
    ]
    return "\n".join(parts)


def _as_drawn(boxes: Sequence[Box], positions: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Where the builder put the nodes; nothing if one has no place, or two have the same."""
    corners = {}
    for box in boxes:
        position = positions.get(box.id)
        if not isinstance(position, dict) or not all(_is_near(position.get(axis)) for axis in "xy"):
            return {}
        corners[box.id] = (float(position["x"]), float(position["y"]))
    return corners if len(set(corners.values())) == len(corners) else {}


def _is_near(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST


def _in_layers(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> dict[str, tuple[float, float]]:
    """Each node a layer below the first that leads to it; what nothing leads to stands at the top."""
    following: dict[str, list[str]] = {}
    for arrow in arrows:
        following.setdefault(arrow.source, []).append(arrow.target)
    targets = {arrow.target for arrow in arrows if arrow.target != arrow.source}
    depths: dict[str, int] = {}
    for first in [*(box.id for box in boxes if box.id not in targets), *(box.id for box in boxes)]:
        waiting = deque([(first, 0)])
        while waiting:
            node, depth = waiting.popleft()
            if node not in depths:
                depths[node] = depth
                waiting.extend((target, depth + 1) for target in following.get(node, ()))
    taken: dict[int, int] = {}
    corners = {}
    for node, depth in depths.items():
        column = taken.get(depth, 0)
        taken[depth] = column + 1
        corners[node] = (float(column * (WIDTH + GAP_X)), float(depth * (HEIGHT + GAP_Y)))
    return corners


def _box(box: Box, x: float, y: float) -> str:
    middle = x + WIDTH / 2
    return (
        f'<g><title>{_text(box.label or box.id)}</title><rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}"'
        f' height="{HEIGHT}" rx="8" fill="{_colour(box)}" stroke="#475569"/>'
        f'<text x="{middle:.0f}" y="{y + 24:.0f}">{_text(_short(box.label or box.id))}</text>'
        f'<text x="{middle:.0f}" y="{y + 43:.0f}" fill="#475569">{_traffic(box)}</text></g>'
    )


def _traffic(box: Box) -> str:
    return f"{box.count:,} · {box.drop_off:.0%} dropped off" if box.drop_off else f"{box.count:,}"


def _colour(box: Box) -> str:
    """From green to red as more stay away; grey where nobody came."""
    if not box.count and not box.drop_off:
        return "#f1f5f9"
    return f"hsl({120 * (1 - min(max(box.drop_off, 0.0), 1.0)):.0f},70%,85%)"


def _arrow(arrow: Arrow, source: tuple[float, float], target: tuple[float, float], busiest: int) -> str:
    """From the bottom of one box to the top of the other, the thicker the more took it."""
    x1, y1, x2, y2 = source[0] + WIDTH / 2, source[1] + HEIGHT, target[0] + WIDTH / 2, target[1]
    bend = max(abs(y2 - y1) / 2, 30)
    width = 1 + (THICKEST - 1) * (arrow.count / busiest if busiest else 0)
    return (
        f'<g><title>{_text(arrow.label)}: {arrow.count:,}</title><path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f}'
        f' {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}" fill="none" stroke="#64748b" stroke-width="{width:.1f}"'
        f' marker-end="url(#head)"/></g>'
    )


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1]}…"


def _text(words: str) -> str:
    return html.escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", words))
