"""The report for programs: one JSON document a trace, on one line. The structs of `results` are the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracediag.report.base import Format
from tracediag.report.document import dump
from tracediag.results.findings import Finding
from tracediag.results.report import Report


class JsonFormat(Format):
    """Everything, unshortened."""

    def finding(self, finding: Finding, _path: str, _followers: Sequence[Finding] = ()) -> str:
        """Render one finding as the document's `findings` holds it."""
        return dump(finding)

    def report(self, report: Report) -> Iterator[str]:
        """Render the whole document."""
        yield dump(report)
