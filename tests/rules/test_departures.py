"""Who was at the other end of a connection or pipe, and what he did there, where the trace holds both ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Confidence, Finding

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def found(name: str, trace: str) -> Finding:
    report = analyze(SAMPLES / name / trace)
    return next(finding for finding in report.findings if finding.name == name)


def without_pid(text: str) -> str:
    """Leave out what is another in each recording."""
    return re.sub(r"process \d+", "process N", text)


@pytest.mark.parametrize(
    ("name", "trace", "note"),
    [
        ("peer-reset", "bug.strace", "process N closes the other end, with unread data"),
        ("peer-reset", "bug.f.strace", "process N closes what must be the other end, with unread data"),
        ("peer-reset", "answered.strace", "process N closes the other end"),
        ("write-after-peer-closed", "bug-unix.f.strace", "process N exits, which closes the other end"),
        ("write-after-peer-closed", "bug.f.strace", "process N exits, which closes what must be the other end"),
    ],
)
def test_who_closed_the_other_end(name: str, trace: str, note: str) -> None:
    assert note in [without_pid(step.note) for step in found(name, trace).steps]


def test_who_does_not_answer() -> None:
    finding = found("peer-not-responding", "bug.f.strace")
    assert finding.title.endswith(" does not answer the request: the server is still connected")
    assert "look at process N, the server" in without_pid(finding.fix)


def test_the_child_that_held_the_pipe() -> None:
    finding = found("child-failure-behind", "bug.f.strace")
    assert finding.confidence is Confidence.CERTAIN
    assert "the parent's write fails with EPIPE: the child has closed its end" in [step.note for step in finding.steps]


SERVER = 'sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")'
PAIR = ("1 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0", "1 fork() = 2", "2 close(3) = 0")
FAILED = '1 write(3, "x", 1) = -1 EPIPE (Broken pipe)'


def closers(*lines: str) -> list[str]:
    report = analyze([f"{line}\n" for line in lines])
    (finding,) = [finding for finding in report.findings if finding.name == "write-after-peer-closed"]
    return [f"{step.line} {step.note}" for step in finding.steps if "other end" in step.note]


def test_a_close_that_has_not_returned() -> None:
    assert closers(*PAIR, "1 close(4) = 0", "2 close(4 <unfinished ...>", FAILED, "2 <... close resumed>) = 0") == [
        "5 process 2 closes the other end"
    ]


def test_an_exit_that_is_not_reported_yet() -> None:
    assert closers(*PAIR, "1 close(4) = 0", "2 exit_group(0) = ?", FAILED, "2 +++ exited with 0 +++") == [
        "5 process 2 exits, which closes the other end"
    ]


def test_a_program_that_closes_both_ends() -> None:
    assert closers(PAIR[0], "1 close(4) = 0", FAILED) == ["2 the process itself closes the other end"]


def test_an_execve_closes_it() -> None:
    made = "1 socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [3, 4]) = 0"
    started = '2 execve("/bin/true", ["true"], 0x7ffe /* 1 var */) = 0'
    assert closers(made, *PAIR[1:], "1 close(4) = 0", started, FAILED) == [
        "5 process 2 executes another program, which closes the other end"
    ]


def test_nothing_is_said_where_somebody_may_hold_it() -> None:
    assert closers(PAIR[0], "1 fork() = 2", "1 close(4) = 0", FAILED) == []
    assert closers(*PAIR, "2 close(4) = 0", FAILED) == []
