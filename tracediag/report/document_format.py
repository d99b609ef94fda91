"""The base of formats that are one document, however many traces were analysed."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence

from tracediag.report.base import Format
from tracediag.results.findings import Finding
from tracediag.results.report import Input, Report


class DocumentFormat(Format):
    """Renders all reports together: the text of two of them would not be a document."""

    live = False

    @abc.abstractmethod
    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the complete document, in pieces."""

    def report(self, report: Report) -> Iterator[str]:
        """Render the document of one report."""
        return self.document([report])

    def finding(self, finding: Finding, path: str, followers: Sequence[Finding] = ()) -> str:
        """Render the document of a report that has only this finding, and those that follow from it."""
        return "".join(self.report(Report(input=Input(path=path), findings=(finding, *followers))))
