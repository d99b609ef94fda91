"""Reads an strace log as an expert would, and reports what is wrong, with proof.

    from tracediag import analyze, read

    report = analyze("run.strace")          # all findings, ranked
    for event in read("run.strace"): ...    # the events of the trace, the halves of each call joined

`diagnose` yields the findings while the trace is read; `Analysis` yields events and findings and returns the report in
one pass. Nothing here prints. A source is a path, "-" for standard input, or an iterable of lines.

    Report                  the result of an analysis: report.findings, report.causes, report.input, ...
     +-- Finding            one diagnosis: code, name, severity, confidence, title, steps, why, fix, ...
          +-- Step          one line of the trace and what it means
          +-- Severity      ERROR > WARNING > NOTE
          +-- Confidence    CERTAIN > LIKELY > POSSIBLE
    Event                   what `read` yields
     +-- Syscall            a call with arguments, result, error, duration
     +-- Signal             a signal delivered
     +-- Exit               the end of a thread or process
    TracediagError          every error raised on purpose
     +-- UnreadableError    also an OSError: the source cannot be read or is not a trace
     +-- NotUnderstoodError also a ValueError: a line of no form of strace output, with `strict`
     +-- UnknownRuleError   also a KeyError: no rule has that name or code
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracediag.api import Analysis, analyze, diagnose, read
    from tracediag.errors import TracediagError, UnknownRuleError
    from tracediag.reading import NotUnderstoodError, UnreadableError
    from tracediag.results.findings import Confidence, Finding, Severity, Step
    from tracediag.results.report import Report
    from tracediag.trace.events import Event, Syscall
    from tracediag.trace.records import Exit, Signal

__all__ = [
    "Analysis",
    "Confidence",
    "Event",
    "Exit",
    "Finding",
    "NotUnderstoodError",
    "Report",
    "Severity",
    "Signal",
    "Step",
    "Syscall",
    "TracediagError",
    "UnknownRuleError",
    "UnreadableError",
    "analyze",
    "diagnose",
    "read",
]

_HOMES = {
    "api": ("Analysis", "analyze", "diagnose", "read"),
    "errors": ("TracediagError", "UnknownRuleError"),
    "reading": ("NotUnderstoodError", "UnreadableError"),
    "results.findings": ("Confidence", "Finding", "Severity", "Step"),
    "results.report": ("Report",),
    "trace.events": ("Event", "Syscall"),
    "trace.records": ("Exit", "Signal"),
}
"""The module that defines each name."""


def __getattr__(name: str) -> Any:
    """Import a module of the library when one of its names is first used: `tracediag --help` does without them."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"tracediag.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
