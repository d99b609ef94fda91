"""GitLab's code quality report: one list of all findings.

docs.gitlab.com, "Code Quality": each entry has a description, a check name, a fingerprint, a severity and a place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from tracediag.report.document import dump
from tracediag.report.document_format import DocumentFormat
from tracediag.report.fate import failure_of
from tracediag.report.stacks import Place, place_of
from tracediag.report.visible import visible
from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity
from tracediag.results.report import Input, Report

_LONGEST = 2000
_SEVERITIES: dict[Severity, str] = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}
"""GitLab has info, minor, major, critical and blocker."""


class GitlabFormat(DocumentFormat):
    """One list."""

    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the causes; what follows from one is part of its description. A command that failed comes first."""
        entries = [_failure(report.input, said) for report in reports if (said := failure_of(report)) is not None]
        entries += [_entry(report.input.path, *group) for report in reports for group in report.folded]
        yield dump(list({entry["fingerprint"]: entry for entry in entries}.values()))


def _entry(path: str, cause: Finding, followers: Sequence[Finding]) -> dict[str, Any]:
    more = f" Also: {', '.join(each.name for each in followers)}." if followers else ""
    text = f"{cause.title}. Why: {cause.why}. Fix: {cause.fix}."
    recorded, place = Place(path, cause.primary.line), place_of(cause)
    if place is not None:
        more += f" Trace: {path}:{recorded.line}."
    likely = cause.severity is Severity.WARNING and cause.confidence is Confidence.POSSIBLE
    return {
        "description": visible(text[:_LONGEST] + more[:_LONGEST]),
        "check_name": cause.name,
        "fingerprint": _identity(cause.fingerprint, path),
        "severity": "minor" if likely else _SEVERITIES[cause.severity],
        "location": _location(place or recorded),
    }


def _failure(trace: Input, said: str) -> dict[str, Any]:
    """Return the entry of a recorded command that failed."""
    return {
        "description": visible(said[:_LONGEST]),
        "check_name": "command-failed",
        "fingerprint": _identity("command-failed", trace.path),
        "severity": "blocker",
        "location": _location(Place(trace.path, max(trace.lines, 1))),
    }


def _identity(fingerprint: str, path: str) -> str:
    return hashlib.sha256(f"{fingerprint} {_place(path)}".encode(errors="backslashreplace")).hexdigest()[:32]


def _location(place: Place) -> dict[str, Any]:
    return {"path": visible(_place(place.path)), "lines": {"begin": place.line}}


def _place(path: str) -> str:
    return "stdin" if path == "-" else path.removeprefix("./")
