"""The last line on stderr: what was read, and how much was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tracediag.report.fate import fate
from tracediag.report.visible import visible
from tracediag.results.findings import Severity
from tracediag.results.many import ManyReport
from tracediag.results.report import Report
from tracediag.trace.quantities import plural


def summary_of_entries(report: Report) -> str:
    """Return the same of a file of ignores, or of a baseline: `pyproject.toml: 1 error`."""
    return f"{visible(report.input.path)}: {_found(report)}"


def summary(report: Report) -> str:
    """Return one line: `run.strace: 1,374 lines, 1,200 calls: 1 error, 2 notes`; of a recorded command also its end."""
    trace = report.input
    read = f"{plural(trace.lines, 'line')}, {plural(trace.calls, 'call')}"
    lost = f" ({plural(trace.not_understood, 'line')} not understood)" if trace.not_understood else ""
    ended = f"; the command {fate(report.command)}" if report.command is not None else ""
    return f"{visible(trace.path)}: {read}{lost}: {_found(report)}{ended}"


def summary_of_many(report: ManyReport) -> str:
    """Return one line: `900 traces (2 could not be analysed), 1,203,000 lines: 212 have findings: 3 errors, 1 note`."""
    lost = f" ({len(report.unread):,} could not be analysed)" if report.unread else ""
    having = report.traces - report.clean
    counts = Counter(each.finding.severity for each in report.findings)
    said = f"{having:,} {'has' if having == 1 else 'have'} findings: {_counted(counts)}" if having else "no findings"
    if not report.traces:
        return f"no trace was analysed{lost}"
    return f"{plural(report.traces, 'trace')}{lost}, {plural(report.lines, 'line')}: {said}"


def _found(report: Report) -> str:
    return _counted(Counter(finding.severity for finding in report.causes))


def _counted(counts: Mapping[Severity, int]) -> str:
    return (
        ", ".join(plural(counts[severity], severity) for severity in Severity if counts.get(severity)) or "no findings"
    )
