"""The report for programs: one JSON document a trace, on one line, as `report.schema.json` describes it.

The structs below are the document. `schema` names its edition: a field that is removed or means something else makes
a new one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.report.base import Format
from tracediag.report.document import dump
from tracediag.results.findings import Absence, Finding, Report

SCHEMA = "tracediag-report/1"
"""The edition of the document."""


class _Line(msgspec.Struct, frozen=True):
    line: int
    text: str


class _NotUnderstood(msgspec.Struct, frozen=True):
    count: int
    samples: list[_Line]


class _Input(msgspec.Struct, frozen=True):
    path: str
    lines: int
    calls: int
    signals: int
    exits: int
    not_understood: _NotUnderstood


class _Step(msgspec.Struct, frozen=True):
    line: int
    text: str
    note: str
    primary: bool


class _Explained(msgspec.Struct, frozen=True):
    name: str
    line: int


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    name: str
    severity: str
    confidence: str
    title: str
    object: str
    steps: list[_Step]
    absent: list[Absence]
    why: str
    fix: str
    explains: list[_Explained]
    count: int
    fingerprint: str


class _Blind(msgspec.Struct, frozen=True):
    rule: str
    needs: str


class _Document(msgspec.Struct, frozen=True):
    schema: str
    input: _Input
    findings: list[_Finding]
    blind: list[_Blind]


class JsonFormat(Format):
    """Everything, unshortened."""

    def finding(self, finding: Finding, path: str) -> str:  # noqa: ARG002 - a finding alone tells no path in this schema
        """Render one finding as the document's `findings` holds it."""
        return dump(_finding(finding))

    def report(self, report: Report) -> Iterator[str]:
        """Render the whole document."""
        yield dump(_document(report))


def _document(report: Report) -> _Document:
    trace = report.input
    samples = [_Line(sample.line, sample.text) for sample in trace.samples]
    return _Document(
        schema=SCHEMA,
        input=_Input(
            path=trace.path,
            lines=trace.lines,
            calls=trace.calls,
            signals=trace.signals,
            exits=trace.exits,
            not_understood=_NotUnderstood(trace.not_understood, samples),
        ),
        findings=[_finding(finding) for finding in report.findings],
        blind=[_Blind(blind.rule, blind.needs) for blind in report.blind],
    )


def _finding(finding: Finding) -> _Finding:
    return _Finding(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        confidence=finding.confidence,
        title=finding.title,
        object=finding.object,
        steps=[_Step(step.line, step.text, step.note, step.primary) for step in finding.steps],
        absent=list(finding.absent),
        why=finding.why,
        fix=finding.fix,
        explains=[_Explained(name, line) for name, line in finding.explains],
        count=finding.count,
        fingerprint=finding.fingerprint,
    )
