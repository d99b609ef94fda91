"""One line per finding, for editors, logs and `grep`: `path:line: severity[CODE] name: title`."""

from __future__ import annotations

from collections.abc import Sequence

from tracediag.report.base import Format, Look
from tracediag.report.canvas import Canvas
from tracediag.report.fate import failure_of
from tracediag.results.findings import Finding
from tracediag.results.report import Report


class ConciseFormat(Format):
    """The location of the primary step, and the title."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._canvas = Canvas(look)

    def opening(self, report: Report) -> str:
        """Render the doubt as one line."""
        trace = report.input
        if trace.doubt is not None:
            self._canvas.line(
                (trace.path, "place"), (": ", "plain"), ("not read", "error"), (f": {trace.doubt}", "plain")
            )
        return self._canvas.take()

    def closing(self, report: Report) -> str:
        """Render what is no finding, each as one line: a rule that failed, and a recorded command that failed."""
        for broken in report.broken:
            said = f": the rule {broken.rule} failed: {broken.error}"
            self._canvas.line((report.input.path, "place"), (": ", "plain"), ("not judged", "error"), (said, "plain"))
        failure = failure_of(report)
        if failure is not None:
            self._canvas.line(
                (report.input.path, "place"), (": ", "plain"), ("failed", "error"), (f": {failure}", "plain")
            )
        return self._canvas.take()

    def finding(self, finding: Finding, path: str, followers: Sequence[Finding] = ()) -> str:
        """Render one finding as one line, with the number of findings that follow from it."""
        more = f" (and {len(followers)} that follow{'s' if len(followers) == 1 else ''} from it)" if followers else ""
        self._canvas.line(
            (f"{path}:{finding.primary.line}", "place"),
            (": ", "plain"),
            (f"{finding.severity}[{finding.code}]", finding.severity),
            (f" {finding.name}: {finding.title}{more}", "plain"),
        )
        return self._canvas.take()
