"""The recorded samples, in groups, and what is found in them: worked out once for all tests of a group."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tracediag.results.report import Report

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
TRACES = sorted(SAMPLES.glob("*/*.strace"))
TOGETHER = 16
"""So many traces of a folder make a group: few enough for its tests to be no long ones."""


def named(trace: Path) -> str:
    """Return the name by which a failing test tells of a trace."""
    return f"{trace.parent.name}/{trace.name}"


def groups() -> Iterator[object]:
    """Yield the traces of each folder, those of a large folder in several groups."""
    for folder in sorted({trace.parent for trace in TRACES}):
        traces = [trace for trace in TRACES if trace.parent == folder]
        for start in range(0, len(traces), TOGETHER):
            name = f"{folder.name}-{start}" if start else folder.name
            yield pytest.param(tuple(traces[start : start + TOGETHER]), id=name)


@lru_cache(maxsize=TOGETHER)
def report_of(trace: Path) -> Report:
    """Return the report on a sample."""
    from tracediag.api import analyze

    return analyze(trace)
