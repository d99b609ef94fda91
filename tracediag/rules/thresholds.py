"""Thresholds that a user may set: from how many turns, or seconds, on a rule reports.

A threshold is a class attribute of the rules that it is about: the `worth` of their `bounds`, where these name the key,
or an attribute of the key's own name. `adapted` returns rules with other values: classes of their own, so that each
analysis has the thresholds of the rules that it is given, and no other has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor
from typing import Any

from tracediag.evidence.runs import Bounds
from tracediag.rules.base import LASTING, Rule


def adapted(rules: Iterable[type[Rule]], values: Mapping[str, float]) -> tuple[type[Rule], ...]:
    """Return rules with these thresholds; a rule that has none stays as it is.

    Args:
        rules: the rules.
        values: turns or seconds, by the keys of the configuration.
    """
    return tuple(_adapted(rule, values) for rule in rules)


def _adapted(rule: type[Rule], values: Mapping[str, float]) -> type[Rule]:
    changes: dict[str, Any] = {}
    bounds = getattr(rule, "bounds", None)
    if isinstance(bounds, Bounds) and bounds.key in values:
        changes["bounds"] = bounds.from_(floor(values[bounds.key]))
    for key, value in values.items():
        attribute = key.replace("-", "_")
        if hasattr(rule, attribute):
            changes[attribute] = value
    if "slow_call" in changes:
        changes["lasting"] = min(LASTING, changes["slow_call"])
    if not changes:
        return rule
    return type(rule.__name__, (rule,), {**changes, "__module__": rule.__module__, "__doc__": rule.__doc__})
