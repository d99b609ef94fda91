"""GitLab's code quality report: one list of all findings.

docs.gitlab.com, "Code Quality": each entry has a description, a check name, a fingerprint, a severity and a place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from tracediag.report.document import dump
from tracediag.report.document_format import DocumentFormat
from tracediag.report.visible import visible
from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity
from tracediag.results.report import Report

_LONGEST = 2000
_SEVERITIES: dict[Severity, str] = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}
"""GitLab has info, minor, major, critical and blocker."""


class GitlabFormat(DocumentFormat):
    """One list."""

    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the causes; what follows from one is part of its description."""
        entries = [_entry(report.input.path, *group) for report in reports for group in report.folded]
        yield dump(list({entry["fingerprint"]: entry for entry in entries}.values()))


def _entry(path: str, cause: Finding, followers: Sequence[Finding]) -> dict[str, Any]:
    more = f" Also: {', '.join(each.name for each in followers)}." if followers else ""
    text = f"{cause.title}. Why: {cause.why}. Fix: {cause.fix}."
    likely = cause.severity is Severity.WARNING and cause.confidence is Confidence.POSSIBLE
    place = "stdin" if path == "-" else path.removeprefix("./")
    identity = f"{cause.fingerprint} {place}"
    return {
        "description": visible(text[:_LONGEST] + more[:_LONGEST]),
        "check_name": cause.name,
        "fingerprint": hashlib.sha256(identity.encode(errors="backslashreplace")).hexdigest()[:32],
        "severity": "minor" if likely else _SEVERITIES[cause.severity],
        "location": {"path": visible(place), "lines": {"begin": cause.primary.line}},
    }
