"""What limits a recording, in one line for people."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.results.report import Scope
from tracediag.trace.quantities import plural

_SHORT = 128
"""Strings cut at fewer characters hide what a program says."""


def limits(scope: Scope) -> str:
    """Return what the recording is and lacks, separated by semicolons; "" if nothing limits it."""
    return "; ".join(_limits(scope))


def _limits(scope: Scope) -> Iterator[str]:
    if scope.attached_threads:
        yield f"strace was attached to {plural(scope.attached_threads, 'thread')}"
    if scope.excerpt:
        yield "an excerpt with lines left out" if scope.elided else "begins or ends in the middle"
    elif scope.whole is False and scope.attached_threads is None:
        yield "does not show the start of the program"
    if scope.failures_only:
        yield "failed calls only"
    if scope.successes_only:
        yield "successful calls only"
    if scope.hidden:
        yield f"no calls of the {'family' if len(scope.hidden) == 1 else 'families'} {', '.join(scope.hidden)}"
    if scope.strings_cut is not None and scope.strings_cut < _SHORT:
        yield f"strings cut at {scope.strings_cut} bytes"
    if scope.children_followed is False:
        yield "children and threads not followed"
    if scope.symbols is False:
        yield "constants as numbers"
