"""The report for programs: one JSON document per trace, on one line. The structs of `results` define the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracediag.report.base import Format
from tracediag.report.document import dump
from tracediag.results.findings import Finding
from tracediag.results.report import Report


class JsonFormat(Format):
    """All fields, unshortened."""

    live = False

    def finding(self, finding: Finding, _path: str, _followers: Sequence[Finding] = ()) -> str:
        """Render one finding as it appears in the document's `findings`."""
        return dump(finding)

    def report(self, report: Report) -> Iterator[str]:
        """Render the complete document."""
        yield dump(report)
