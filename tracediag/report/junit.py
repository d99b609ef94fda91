"""JUnit's XML, which CI systems show as tests: a suite for each trace, a failed test for each finding.

The form is the one that Jenkins and GitLab read: testsuites, testsuite, testcase, failure, skipped, error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from tracediag.report.document_format import DocumentFormat
from tracediag.report.fate import failure_of
from tracediag.report.full import FullFormat
from tracediag.report.visible import visible
from tracediag.results.findings import Finding
from tracediag.results.grades import Severity
from tracediag.results.report import Report

_LONGEST = 2000


class JunitFormat(DocumentFormat):
    """One document; errors and warnings are failures, notes are skipped tests, a command that failed is an error."""

    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the suites."""
        yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tracediag">\n'
        for report in reports:
            yield from self._suite(report)
        yield "</testsuites>\n"

    def _suite(self, report: Report) -> Iterator[str]:
        groups, path = report.folded, report.input.path
        failed = sum(cause.severity is not Severity.NOTE for cause, _ in groups)
        troubles = [("the trace is read", f"the rule {broken.rule} failed: {broken.error}") for broken in report.broken]
        read = (report.input.doubt, report.input.damage)
        troubles += [("the trace is read", said) for said in read if said is not None]
        if (failure := failure_of(report)) is not None:
            troubles.append(("the command succeeds", failure))
        tests = len(groups) + len(troubles) or 1
        yield (
            f'<testsuite name={_value(path)} tests="{tests}" failures="{failed}" errors="{len(troubles)}" '
            f'skipped="{len(groups) - failed}">\n'
        )
        for promise, said in troubles:
            yield f"<testcase classname={_value(path)} name={_value(promise)}>"
            yield f"<error message={_value(said)}/></testcase>\n"
        for cause, followers in groups:
            yield self._case(path, cause, followers)
        if not groups and not troubles:
            yield f"<testcase classname={_value(path)} name={_value('no findings')}/>\n"
        yield "</testsuite>\n"

    def _case(self, path: str, cause: Finding, followers: Sequence[Finding]) -> str:
        kind = "skipped" if cause.severity is Severity.NOTE else "failure"
        what = "" if kind == "skipped" else f" type={_value(str(cause.severity))}"
        text = "\n".join(visible(line) for line in FullFormat(self.look).finding(cause, path, followers).split("\n"))
        return (
            f"<testcase classname={_value(path)} name={_value(f'{cause.code} {cause.name} line {cause.primary.line}')}>"
            f"<{kind} message={_value(cause.title)}{what}>{escape(text)}</{kind}></testcase>\n"
        )


def _value(text: str) -> str:
    return quoteattr(visible(text[:_LONGEST]))
