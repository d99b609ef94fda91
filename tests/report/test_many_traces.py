"""What many traces have in common: counted by fingerprint, in an order that no executor changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import jsonschema
import msgspec
import pytest

from tracediag import Confidence, Finding, ManyReport, Report, Severity, Step, Unread
from tracediag.report.many import render_many
from tracediag.report.schema import schema
from tracediag.report.summary import summary_of_many
from tracediag.results.limits import parse_limits
from tracediag.results.many import report_on_many
from tracediag.results.report import Blind, BrokenRule, Input


def report(path: str, *findings: Finding, **parts: object) -> Report:
    return Report(input=Input(path=path, lines=10, calls=9), findings=findings, **parts)  # type: ignore[arg-type]


@pytest.fixture
def close(finding: Finding) -> Finding:
    step = Step(line=3, text="close(3) = -1 EBADF (Bad file descriptor)", note="n", primary=True)
    return msgspec.structs.replace(finding, name="double-close", severity=Severity.NOTE, steps=(step,), count=2)


def test_a_finding_is_there_once_with_its_traces(finding: Finding, close: Finding) -> None:
    weak = msgspec.structs.replace(close, confidence=Confidence.POSSIBLE)
    sure = msgspec.structs.replace(close, confidence=Confidence.CERTAIN, severity=Severity.WARNING, count=5)
    results = [report("a"), report("b", weak), Unread("c", "no"), report("d", sure, finding), report("e", weak)]
    many = report_on_many(results)
    assert (many.traces, many.clean, many.lines, many.calls) == (4, 1, 40, 36)
    assert many.unread == (Unread("c", "no"),)
    first, second = many.findings
    assert (first.finding, first.traces, first.first, first.last) == (finding, 1, "d", "d")
    assert (second.traces, second.count, second.first, second.last) == (3, 9, "b", "e")
    assert (second.finding.severity, second.finding.confidence) == (Severity.WARNING, Confidence.CERTAIN)


def test_what_a_cause_explains_is_not_counted(finding: Finding, close: Finding) -> None:
    follower = msgspec.structs.replace(close, explained_by=finding.fingerprint)
    many = report_on_many([report("a", finding, follower)])
    assert [each.finding.name for each in many.findings] == [finding.name]


def test_of_equally_bad_ones_the_frequent_one_stands_first(finding: Finding, close: Finding) -> None:
    other = msgspec.structs.replace(close, severity=finding.severity)
    many = report_on_many([report("a", finding, other), report("b", other)])
    assert [each.finding.name for each in many.findings] == ["double-close", finding.name]


def test_a_rule_that_failed_is_told_once() -> None:
    broken = [BrokenRule(rule="r", line=line, error="ValueError: x") for line in range(1, 5)]
    blind = Blind("s", "times")
    many = report_on_many([report(str(each.line), broken=(each,), blind=(blind,)) for each in broken])
    assert many.broken == (broken[0],)
    assert many.blind == (blind,)


def test_nothing_is_a_report_too() -> None:
    assert report_on_many([]) == ManyReport(traces=0, clean=0, lines=0, calls=0)


@pytest.mark.parametrize(
    ("limit", "having", "of", "reached"),
    [
        ("note>=2/10 traces", 2, 10, True),
        ("note>=2/10 traces", 1, 10, False),
        ("note>=2/10traces", 1, 5, True),
        ("note >= 2 / 10 traces", 19, 100, False),
        ("warning>=1/10 traces", 10, 10, False),
        ("note:certain>=1/10 traces", 10, 10, False),
        ("note>=1/1 traces", 3, 4, False),
        ("note>=1/1 traces", 0, 0, False),
    ],
)
def test_a_limit_by_traces(close: Finding, limit: str, having: int, of: int, *, reached: bool) -> None:
    weak = msgspec.structs.replace(close, confidence=Confidence.LIKELY)
    (parsed,) = parse_limits(limit)
    assert parsed.reached([(weak,)] * having + [()] * (of - having)) is reached


def test_a_limit_by_traces_is_of_one_kind_of_finding(finding: Finding, close: Finding) -> None:
    (limit,) = parse_limits("note>=2/2 traces")
    assert not limit.reached([(finding,), (close,)])
    assert limit.reached([(finding, close), (close,)])
    assert limit.reached([(), ()], entries=[close])


@pytest.mark.parametrize("wrong", ["error>=11/10 traces", "error>=2/0 traces", "error>=2/10", "error/10 traces"])
def test_what_no_limit_by_traces_is(wrong: str) -> None:
    with pytest.raises(ValueError, match="traces"):
        parse_limits(wrong)


def test_each_format_tells_how_many_traces_have_it(finding: Finding, close: Finding) -> None:
    unread = [Unread(f"u{number}", f"u{number}: no such file") for number in range(22)]
    many = report_on_many([report("a", finding, close), report("b", close), report("c"), *unread])
    full, concise, document = ("".join(rendered(name)(many)) for name in ("full", "concise", "json"))
    assert "\nin 2 of 3 traces: first in a, last in b; 4 times in all\nnote[TD101] double-close" in full
    assert full.startswith("in 1 of 3 traces: a; 200 times in all\nerror[TD101]")
    assert "200 of this kind" not in full
    assert "not analysed: u19: no such file\nand 2 traces more that could not be analysed\n" in full
    assert concise.splitlines()[1].endswith("(in 2 of 3 traces)")
    jsonschema.Draft202012Validator(schema("many")).validate(json.loads(document))
    assert json.loads(document)["schema"] == "tracediag-many/1"
    assert summary_of_many(many) == "3 traces (22 could not be analysed), 30 lines: 2 have findings: 1 error, 1 note"
    assert "".join(rendered("full")(report_on_many([]))) == "no trace was analysed\n"


def test_hostile_names_are_shown_harmless(finding: Finding) -> None:
    many = report_on_many([report("a\x1b[2J\nerror[X]", finding), Unread("\x1b]0;x\x07", "\x9b")])
    for name in ("full", "concise", "json"):
        shown = "".join(rendered(name)(many))
        shown.encode()
        assert not set("\x1b\x07\x9b").intersection(shown)
        assert not [line for line in shown.splitlines() if line.startswith("error[X]")]


def rendered(name: str) -> Callable[[ManyReport], Iterator[str]]:
    render = render_many(name)
    assert render is not None
    return render
