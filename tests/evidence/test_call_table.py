"""What a table of `strace -c` proves, and that it proves no more than "possible"."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Confidence, Finding
from tracediag.results.report import Report

RECORDED = Path(__file__).parent.parent / "overviews" / "recorded"
HEAD = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
"""
END = """\
------ ----------- ----------- --------- --------- ----------------
100.00    0.050000                 40000     20001 total
"""


def report_on(*rows: str) -> Report:
    return analyze([f"{line}\n" for line in (HEAD + "\n".join(rows) + "\n" + END).splitlines()])


def found(*rows: str) -> list[Finding]:
    findings = report_on(*rows).findings
    assert all(finding.confidence is Confidence.POSSIBLE for finding in findings)
    return list(findings)


START = "  0.00    0.000000           0         1           execve"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "failing-call-spin",
            (
                " 66.90    0.033775           1     20000     20000 accept",
                " 33.10    0.016713           0     20000           poll",
            ),
        ),
        ("failing-call-spin", (" 99.90    0.033775           1      5000      4999 ftruncate",)),
        ("failing-call-spin", (" 99.90    0.033775           1     30000     30000 openat",)),
        ("eagain-spin", (" 99.90    0.033775           1     20000     19990 read",)),
        ("eagain-spin", (" 99.90    0.033775           1     20000     20000 accept4",)),
        (
            "zero-timeout-polling",
            (
                " 59.71    0.016415           0    592084           _newselect",
                "  2.96    0.000813           0      3840           sendto",
            ),
        ),
        ("close-storm", (" 99.00    0.016415           0     65533     65530 close",)),
        (
            "descriptor-leak",
            (
                " 50.00    0.016415           0      1000         3 openat",
                "  2.96    0.000813           0        12           close",
            ),
        ),
    ],
)
def test_what_the_numbers_suggest(name: str, rows: tuple[str, ...]) -> None:
    (finding,) = found(START, *rows)
    assert finding.name == name
    assert "strace" in finding.fix or name == "close-storm"


@pytest.mark.parametrize(
    "rows",
    [
        (" 99.00    0.016415           0      5000      4900 openat",),  # the search of a start
        (" 99.00    0.016415           0     20000     19000 futex",),
        (" 60.00    0.1               0     20000     19900 read", " 40.00    0.1   5     20000           epoll_wait"),
        (" 60.00    0.1               0     20000           read", " 40.00    0.1   5     20000           epoll_wait"),
        (" 99.00    9.900000         990     10001           poll",),  # each waits
        (" 99.00    0.016415           0      1000           openat", "  1.00    0.0    0       998           close"),
        (
            " 99.00    0.016415           0      1000           openat",
            "  1.00    0.000100           0        60           clone",
        ),
        ("  1.00    0.000100           0       900       900 accept",),
    ],
)
def test_what_is_normal(rows: tuple[str, ...]) -> None:
    assert found(START, *rows) == []


def test_the_report_says_that_it_is_a_table_and_what_stands_at_its_top() -> None:
    report = report_on(
        " 80.00    0.040000           0     20000           futex",
        " 20.00    0.010000           0     30000         7 openat",
    )
    assert report.overview.counts == (
        "a table of strace -c: 50,000 calls, 7 failed; it shows no single call; most time: futex (80 %), openat"
        " (20 %); most calls: openat (30,000), futex (20,000); most failures: openat (7 of 30,000)"
    )
    assert report.advice is not None
    assert report.input.doubt is None


def test_what_the_program_printed_beside_the_table_is_its_last_words() -> None:
    report = analyze(RECORDED / "counts.default.strace")
    (fate,) = report.ending
    assert fate.words is not None
    assert fate.words.text == "cat: /srv/tracediag/none: No such file or directory"
    assert report.input.not_understood == 0


def test_a_table_below_its_calls_adds_nothing() -> None:
    report = analyze(RECORDED / "counts.both.strace")
    assert report.overview.counts is None
    assert report.input.calls > 20
