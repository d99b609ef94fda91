"""Counts lives that have the same shape, and tells the rare shapes from the common one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tracediag.overviews.lives.folding import Life
from tracediag.results.lives import LifeGroup, Shape
from tracediag.trace.patterns import lazy_pattern

_MOST_SHAPES = 4096
"""Shapes of a kind that are told apart."""
_ENOUGH = 8
"""Lives of a kind below which no shape is called rare: there is no custom yet."""
_COMMON = 0.5
"""The part of all lives that the common shape must have, for others to be odd."""
_RARE = 0.05
"""The greatest part of all lives that an odd shape may have; a single life may always be odd."""
_BAD = lazy_pattern(r" E[A-Z0-9]++$|^killed by|^exit [1-9]")


class _Tally(msgspec.Struct):
    """The lives of one shape."""

    first_line: int
    last_line: int
    example: str
    count: int = 0


class Shapes:
    """The shapes of the lives of a trace, by kind of object."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[tuple[str, ...], _Tally]] = {}
        self._left_out: dict[str, int] = {}

    def add(self, kind: str, life: Life, name: Callable[[], str]) -> None:
        """Count a life that is over; `name` returns how to name its object, if it is an example."""
        shapes = self._kinds.setdefault(kind, {})
        steps = tuple(life.steps)
        tally = shapes.get(steps)
        if tally is None:
            if len(shapes) >= _MOST_SHAPES:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return
            tally = shapes[steps] = _Tally(life.first_line, life.last_line, name())
        elif life.first_line < tally.first_line:  # lives are counted as they end
            tally.first_line, tally.last_line, tally.example = life.first_line, life.last_line, name()
        tally.count += 1

    def groups(self) -> tuple[LifeGroup, ...]:
        """Return the kinds, each with its shapes."""
        return tuple(self._group(kind, self._kinds[kind]) for kind in sorted(self._kinds))

    def _group(self, kind: str, shapes: dict[tuple[str, ...], _Tally]) -> LifeGroup:
        left_out = self._left_out.get(kind, 0)
        total = left_out + sum(tally.count for tally in shapes.values())
        (usual, most), *rest = sorted(shapes.items(), key=lambda item: (-item[1].count, item[1].first_line))
        has_custom = total >= _ENOUGH and most.count >= _COMMON * total
        rare = {steps for steps, tally in rest if has_custom and tally.count <= max(1, _RARE * total)}
        odd = [_shape(steps, tally, usual) for steps, tally in rest if steps in rare]
        odd.sort(key=lambda shape: (not _is_worse(shape.steps, usual), shape.count, shape.first_line))
        return LifeGroup(
            kind=kind,
            count=total,
            common=_shape(usual, most),
            odd=tuple(odd),
            others=tuple(_shape(steps, tally) for steps, tally in rest if steps not in rare),
            not_compared=left_out,
        )


def _is_worse(steps: tuple[str, ...], usual: tuple[str, ...]) -> bool:
    """Whether a shape has an error or a bad end that the common one has not."""
    return any(_BAD.search(step) for step in steps if step not in usual)


def _shape(steps: tuple[str, ...], tally: _Tally, usual: tuple[str, ...] | None = None) -> Shape:
    return Shape(
        steps=steps,
        count=tally.count,
        first_line=tally.first_line,
        last_line=tally.last_line,
        example=tally.example,
        differs=None if usual is None else _first_difference(steps, usual),
    )


def _first_difference(steps: tuple[str, ...], usual: tuple[str, ...]) -> int:
    """Return the index of the first step that differs; that of the last step where only the common shape has more."""
    same = next((place for place, (one, other) in enumerate(zip(steps, usual, strict=False)) if one != other), None)
    return min(len(usual), len(steps) - 1) if same is None else same
