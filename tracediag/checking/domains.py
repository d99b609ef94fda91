"""The values that a name can have where a comparison is true, or false: what conditions are compared by."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.kernel.flags import ACCESS_MODES
from tracediag.query.names import CLASSES, NAMES, Name
from tracediag.query.nodes import Comparison
from tracediag.query.types import Type, value_of

ALWAYS_THERE = frozenset({"call", "line", "failed", "returned"})
"""The names that every call has a value of."""
_NUMBERS = (Type.NUMBER, Type.SECONDS)
_LEAST = {"line": 1.0, "bytes": 0.0, "duration": 0.0, "time": 0.0, "pid": 0.0, "process.pid": 1.0}
_LEAST |= {"fd.local.port": 0.0, "fd.peer.port": 0.0}
_MOST = {"fd.local.port": 65535.0, "fd.peer.port": 65535.0}
_SEVERAL = frozenset({"path"})
"""The names that have several values at a time, of which any may fit."""


class Domain(msgspec.Struct, frozen=True):
    """A set of values, and whether the name may have none."""

    values: frozenset[Any] | None = None
    """The only values; None: any."""
    without: frozenset[Any] = frozenset()
    """Values that are left out."""
    least: float = -math.inf
    most: float = math.inf
    absent: bool = True
    """Whether the call may have no such value, or the trace not show it."""

    def meet(self, other: Domain) -> Domain:
        """Return the values of both."""
        both = (
            (self.values if other.values is None else other.values)
            if self.values is None or other.values is None
            else self.values & other.values
        )
        return Domain(
            both,
            self.without | other.without,
            max(self.least, other.least),
            min(self.most, other.most),
            absent=self.absent and other.absent,
        )

    @property
    def nothing(self) -> bool:
        """Whether it has no value at all; `absent` is another matter."""
        if self.values is not None:
            return not any(self._holds(value) for value in self.values)
        return self.least > self.most or (self.least == self.most and self.least in self.without)

    @property
    def empty(self) -> bool:
        """Whether nothing is possible."""
        return self.nothing and not self.absent

    def _holds(self, value: Any) -> bool:
        if value in self.without:
            return False
        return not isinstance(value, int | float) or self.least <= value <= self.most


NEVER = Domain(frozenset(), absent=True)
"""No value: the call has none."""


def universe(key: str) -> Domain:
    """Return all that a name can have."""
    name = NAMES.get(key)
    if name is None:
        return Domain()
    values = frozenset({True, False}) if name.type is Type.TRUTH else (name.words or None)
    least, most = _LEAST.get(key, -math.inf), _MOST.get(key, math.inf)
    return Domain(values, least=least, most=most, absent=key not in ALWAYS_THERE)


def domain(text: str, node: Comparison, name: Name, *, wanted: bool) -> tuple[str, Domain] | None:
    """Return what a comparison says of which name if it is true, or with `wanted` false if it is not.

    None where it says nothing that could be compared: an expression, a folder, one of several paths.
    """
    if name.name in _SEVERAL:
        return None
    if node.operator == "":
        return name.name, Domain(frozenset({wanted}), absent=not wanted)
    if node.operator == "has":
        return _access(node, name, wanted=wanted)
    if node.kind:
        return name.name, _among(CLASSES[node.kind].calls, wanted=wanted)
    if node.operator in ("~", "under"):
        return None
    values = [value_of(text, each, name.type, name.name, name.words) for each in node.values]
    if node.operator in _ORDERED:
        return name.name, _ordered(node.operator, values[0], name, wanted=wanted)
    if node.operator == "!=":
        excluded = Domain(without=frozenset(values), absent=False)
        return name.name, excluded if wanted else Domain(frozenset(values), absent=True)
    return name.name, _among(frozenset(values), wanted=wanted)


def _among(values: frozenset[Any], *, wanted: bool) -> Domain:
    return Domain(values, absent=False) if wanted else Domain(without=values, absent=True)


def _access(node: Comparison, name: Name, *, wanted: bool) -> tuple[str, Domain] | None:
    """An access mode excludes the others; other flags stand side by side."""
    mode = node.values[0].text
    if mode not in ACCESS_MODES:
        return None
    return f"the access mode of {name.name}", _among(frozenset({mode}), wanted=wanted)


_ORDERED: dict[str, Callable[[float, float], Domain]] = {
    "<": lambda value, step: Domain(most=value - step, absent=False),
    "<=": lambda value, _step: Domain(most=value, absent=False),
    ">": lambda value, step: Domain(least=value + step, absent=False),
    ">=": lambda value, _step: Domain(least=value, absent=False),
}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def _ordered(operator: str, value: float, name: Name, *, wanted: bool) -> Domain:
    """Return the numbers on one side; beside a time lies the next one that a float can hold."""
    step = 1.0 if name.type is Type.NUMBER and float(value).is_integer() else math.ulp(value)
    found = _ORDERED[operator if wanted else _OPPOSITE[operator]](value, step)
    return found if wanted else msgspec.structs.replace(found, absent=True)
