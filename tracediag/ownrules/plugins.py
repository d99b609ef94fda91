"""Python rules of installed packages, by entry points of the group `tracediag.rules`.

[project.entry-points."tracediag.rules"]
acme = "acme_rules:RULES"          # a class of a rule, or several in a list
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tracediag.ownrules.folder import brief
from tracediag.ownrules.legality import flaw_of_class
from tracediag.results.problems import Problem
from tracediag.rules import Rule
from tracediag.stopping import FAULTS, is_stop

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "tracediag.rules"
_MOST_BYTES = 1 << 20


class Plugin:
    """A class of a rule, and the entry point that named it."""

    def __init__(self, rule: type[Rule], place: str) -> None:
        self.rule = rule
        self.place = place


@cache
def plugins() -> tuple[Plugin | Problem, ...]:
    """Load the entry points once; a problem for each that cannot be loaded, or is no rule."""
    if not any(map(_mentions, _metadata())):
        return ()
    from importlib.metadata import entry_points  # noqa: PLC0415  # slow to import, and seldom needed

    return tuple(found for point in sorted(entry_points(group=GROUP)) for found in _loaded(point))


def _metadata() -> Iterator[Path]:
    """Yield the lists of entry points of all installed packages."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208  # Path.iterdir costs three times as much
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                yield Path(folder, name, "entry_points.txt")


def _mentions(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return GROUP.encode() in stream.read(_MOST_BYTES)
    except OSError:
        return False


def _loaded(point: EntryPoint) -> Iterator[Plugin | Problem]:
    place = f"entry point {point.name} = {point.value}"
    try:
        loaded = point.load()
    except FAULTS as error:  # a package's fault, of whatever kind
        if is_stop(error):
            raise
        yield _problem(point, f"{type(error).__name__}: {error}")
        return
    try:
        classes = list(loaded) if isinstance(loaded, Iterable) and not isinstance(loaded, type) else [loaded]
        flaws = [flaw_of_class(each) for each in classes]
    except FAULTS as error:
        if is_stop(error):
            raise
        yield _problem(point, f"{type(error).__name__}: {error}")
        return
    for each, flaw in zip(classes, flaws, strict=True):
        yield Plugin(each, place) if flaw is None else _problem(point, flaw)


def _problem(point: EntryPoint, message: str) -> Problem:
    return Problem(file=f"entry point {point.name} = {point.value}", message=brief(message), rule=point.name)
