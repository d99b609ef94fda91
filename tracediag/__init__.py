"""Reads an strace log as an expert would, and reports what is wrong, with proof.

    from tracediag import open_trace

    trace = open_trace("run.strace")
    trace.findings                          # all findings, ranked
    trace.calls("connect").where("errno == ECONNREFUSED").by("fd.peer")
    for event in trace.events(): ...        # the events of the trace, the halves of each call joined

`analyze`, `diagnose` and `read` are shortcuts for its report, its findings while it is read, and its events; `Analysis`
yields events and findings and returns the report in one pass; `analyze_many` tells what many traces have in common.
`redact` hides the secrets in a report. Nothing here prints. A source is a path, "-" for standard input, or an iterable
of lines. docs/library.md has examples.

    Trace                   what `open_trace` returns: report, findings, calls(), files(), state(), follow(), ...
     +-- Calls              some of its calls: where(), first(), count(), total(), by()
    Report                  the result of an analysis: report.findings, report.causes, report.input, ...
     +-- Finding            one diagnosis: code, name, severity, confidence, title, steps, why, fix, ...
          +-- Step          one line of the trace and what it means
          +-- Severity      ERROR > WARNING > NOTE
          +-- Confidence    CERTAIN > LIKELY > POSSIBLE
    ManyReport              the result of `analyze_many`: report.findings, report.unread
     +-- Recurring          a finding, and how many of the traces have it
     +-- Unread             a trace that could not be analysed
    Event                   what `read` yields
     +-- Syscall            a call with arguments, result, error, duration
     +-- Signal             a signal delivered
     +-- Exit               the end of a thread or process
     +-- Frame              a frame of its stack, in a recording of `strace -k`
    TracediagError          every error raised on purpose
     +-- UnreadableError    also an OSError: the source cannot be read or is not a trace
     +-- NotUnderstoodError also a ValueError: a line of no form of strace output, with `strict`
     +-- UnknownRuleError   also a KeyError: no rule has that name or code
     +-- RulesFolderError   also a ValueError: a folder of rules of one's own cannot be read
     +-- QueryError         also a ValueError: a query is not of the language of docs/query.md
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracediag.analysis import Analysis
    from tracediag.api import analyze, diagnose, read
    from tracediag.errors import TracediagError, UnknownRuleError
    from tracediag.library.calls import Calls
    from tracediag.library.many import analyze_many
    from tracediag.library.trace import Trace, open_trace
    from tracediag.ownrules import RulesFolderError
    from tracediag.query import QueryError
    from tracediag.reading import NotUnderstoodError, UnreadableError
    from tracediag.redaction import redact
    from tracediag.results.findings import Confidence, Finding, Severity, Step
    from tracediag.results.many import ManyReport, Recurring, Unread
    from tracediag.results.report import Report
    from tracediag.trace.events import Event, Syscall
    from tracediag.trace.records import Exit, Signal
    from tracediag.trace.stacks import Frame

__all__ = [
    "Analysis",
    "Calls",
    "Confidence",
    "Event",
    "Exit",
    "Finding",
    "Frame",
    "ManyReport",
    "NotUnderstoodError",
    "QueryError",
    "Recurring",
    "Report",
    "RulesFolderError",
    "Severity",
    "Signal",
    "Step",
    "Syscall",
    "Trace",
    "TracediagError",
    "UnknownRuleError",
    "Unread",
    "UnreadableError",
    "analyze",
    "analyze_many",
    "diagnose",
    "open_trace",
    "read",
    "redact",
]

_HOMES = {
    "analysis": ("Analysis",),
    "api": ("analyze", "diagnose", "read"),
    "library.calls": ("Calls",),
    "library.many": ("analyze_many",),
    "errors": ("TracediagError", "UnknownRuleError"),
    "library.trace": ("Trace", "open_trace"),
    "ownrules": ("RulesFolderError",),
    "query": ("QueryError",),
    "reading": ("NotUnderstoodError", "UnreadableError"),
    "redaction": ("redact",),
    "results.findings": ("Confidence", "Finding", "Severity", "Step"),
    "results.many": ("ManyReport", "Recurring", "Unread"),
    "results.report": ("Report",),
    "trace.events": ("Event", "Syscall"),
    "trace.records": ("Exit", "Signal"),
    "trace.stacks": ("Frame",),
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
