"""The library's door: what it takes, what it gives, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracediag
from tracediag.api import analyze, diagnose, read
from tracediag.trace.events import Elision, Exit, Signal, Syscall

SAMPLES = Path(__file__).parents[2] / "samples"
DOUBLE = SAMPLES / "epollserver" / "double-close.strace"


def test_the_package_is_the_door() -> None:
    assert (tracediag.analyze, tracediag.diagnose, tracediag.read) == (analyze, diagnose, read)


def test_a_path_and_its_lines_give_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    by_path = analyze(DOUBLE)
    by_lines = analyze(DOUBLE.read_text().splitlines(keepends=True))
    assert by_path.findings == by_lines.findings
    assert by_path.findings
    assert by_path.input.path == str(DOUBLE)
    assert capsys.readouterr() == ("", "")


def test_every_line_is_accounted_for() -> None:
    report = analyze(["1 close(3) = 0\n", "what is this\n", "1 +++ exited with 0 +++\n"])
    assert (report.input.lines, report.input.calls, report.input.exits, report.input.not_understood) == (3, 1, 1, 1)
    assert [(sample.line, sample.text) for sample in report.input.samples] == [(2, "what is this")]


def test_select_and_ignore_take_names_and_codes() -> None:
    assert {found.name for found in analyze(DOUBLE).findings} == {"double-close"}
    assert analyze(DOUBLE, ignore=["TD303"]).findings == ()
    assert analyze(DOUBLE, select=["TD304", "use-after-reset"]).findings == ()
    assert len(analyze(DOUBLE, select=["double-close"]).findings) == 1
    with pytest.raises(KeyError):
        analyze(DOUBLE, select=["no-such-rule"])


def test_diagnose_is_a_stream_with_one_finding_a_kind() -> None:
    stream = diagnose(DOUBLE)
    assert next(stream).name == "double-close"
    assert list(stream) == []


def test_progress_counts_all_bytes() -> None:
    seen: list[int] = []
    analyze(DOUBLE, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == DOUBLE.stat().st_size


def test_read_gives_whole_calls() -> None:
    lines = [
        "7 1.000000 read(3,  <unfinished ...>\n",
        "8 1.100000 close(4) = 0\n",
        '7 1.200000 <... read resumed>"hi", 10) = 2 <0.200000>\n',
        "7 1.300000 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8} ---\n",
        "...\n",
        "7 1.400000 +++ exited with 3 +++\n",
    ]
    whole = [event for event in read(lines) if isinstance(event, Syscall | Signal | Exit | Elision)]
    close, joined, signal, elision, end = whole
    assert isinstance(close, Syscall)
    assert (close.name, close.result, close.line) == ("close", 0, 2)
    assert isinstance(joined, Syscall)
    assert (joined.name, joined.result, joined.line, joined.end_line, joined.duration) == ("read", 2, 1, 3, 0.2)
    assert (joined.time, joined.number(0), joined.number(2)) == (1.0, 3, 10)
    assert isinstance(signal, Signal)
    assert signal.name == "SIGCHLD"
    assert isinstance(elision, Elision)
    assert isinstance(end, Exit)
    assert end.status == 3
