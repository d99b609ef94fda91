"""One report of several: the traces of one paste, each analysed for itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.overview import MOST_ENTRIES
from tracediag.results.report import Input, NotUnderstood, Part, Report

SAMPLES = 5


def merged(path: str, parts: Sequence[Part], reports: Sequence[Report]) -> Report:
    """Return the report on all parts of a file: sums, and the findings part by part, each naming its trace."""
    findings = [_placed(finding, number) for number, each in enumerate(reports, 1) for finding in each.findings]
    return Report(
        input=_input(path, [report.input for report in reports]),
        findings=tuple(findings),
        blind=tuple(dict.fromkeys(blind for report in reports for blind in report.blind)),
        advice=next((report.advice for report in reports if report.advice), None),
        scope=reports[0].scope,
        overview=reports[0].overview,
        ending=tuple(fate for report in reports for fate in report.ending)[:MOST_ENTRIES],
        waiting=tuple(waiting for report in reports for waiting in report.waiting)[:MOST_ENTRIES],
        apart=tuple(apart for report in reports for apart in report.apart),
        endings=tuple(ending for report in reports for ending in report.endings),
        broken=tuple(dict.fromkeys(broken for report in reports for broken in report.broken)),
        rules={name: card for report in reports for name, card in report.rules.items()},
        parts=tuple(parts),
    )


def _input(path: str, inputs: Sequence[Input]) -> Input:
    samples = [sample for each in inputs for sample in each.samples]
    doubts = [f"trace {number}: {each.doubt}" for number, each in enumerate(inputs, 1) if each.doubt]
    return Input(
        path=path,
        lines=sum(each.lines for each in inputs),
        calls=sum(each.calls for each in inputs),
        signals=sum(each.signals for each in inputs),
        exits=sum(each.exits for each in inputs),
        unparsed=NotUnderstood(sum(each.not_understood for each in inputs), tuple(samples[:SAMPLES])),
        doubt="; ".join(doubts) or None,
    )


def _placed(finding: Finding, number: int) -> Finding:
    where = f"trace {number}"
    return msgspec.structs.replace(finding, object=f"{finding.object}, {where}" if finding.object else where)
