"""A stream of JSON: one line for each finding, as it is made, then one line with the rest of the report.

    {"trace": "run.strace", "finding": {...}}
    {"trace": "run.strace", "report": {...}}

A finding is what it is in the JSON report, except that only the end of the trace decides what explains it, how often
it occurs and in which order the findings rank: `ranking` in the last line says that, by fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tracediag.report.base import Format
from tracediag.report.document import dump
from tracediag.results.findings import Finding
from tracediag.results.report import Report


class JsonlFormat(Format):
    """All fields, unshortened."""

    def finding(self, finding: Finding, path: str, _followers: Sequence[Finding] = ()) -> str:
        """Render one finding on a line of its own."""
        return dump({"trace": path, "finding": finding})

    def closing(self, report: Report) -> str:
        """Render all that the report has besides the findings, and their final order."""
        rest: dict[str, Any] = msgspec.to_builtins(report)
        del rest["findings"]
        rest["ranking"] = [
            {"fingerprint": each.fingerprint, "count": each.count, "explained_by": each.explained_by}
            for each in report.findings
        ]
        return dump({"trace": report.input.path, "report": rest})

    def report(self, report: Report) -> Iterator[str]:
        """Render all lines."""
        for finding in report.findings:
            yield self.finding(finding, report.input.path)
        yield self.closing(report)
