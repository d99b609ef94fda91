"""The library's API: its arguments, its results, its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracediag
from tracediag.api import Analysis, analyze, diagnose, read
from tracediag.errors import TracediagError
from tracediag.trace.events import Syscall
from tracediag.trace.records import Elision, Exit, Signal

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


def test_diagnose_yields_one_finding_per_kind() -> None:
    stream = diagnose(DOUBLE)
    assert next(stream).name == "double-close"
    assert list(stream) == []


def test_progress_counts_all_bytes() -> None:
    seen: list[int] = []
    analyze(DOUBLE, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == DOUBLE.stat().st_size


def test_read_yields_complete_calls() -> None:
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


def test_the_door_has_every_name_that_it_draws() -> None:
    for name in tracediag.__all__:
        assert getattr(tracediag, name).__name__ == name
        assert name in tracediag.__doc__
        assert name in dir(tracediag)


def test_all_errors_are_of_one_tree_and_still_of_their_old_kind(tmp_path: Path) -> None:
    for wrong, kind in (
        (lambda: analyze(tmp_path / "absent"), OSError),
        (lambda: analyze(["what is this\n"], strict=True), ValueError),
        (lambda: analyze(DOUBLE, ignore=["qqqq-xyzzy"]), KeyError),
    ):
        with pytest.raises(TracediagError) as raised:
            wrong()
        assert isinstance(raised.value, kind)
        assert "\n" not in str(raised.value)
    assert str(raised.value) == "no rule 'qqqq-xyzzy'; `tracediag rules` lists them"


@pytest.mark.parametrize("text", ["close(3) = 0\n+++ exited with 0 +++\n", "read(3, ...) = 0", 'read(3, "x'])
def test_text_in_place_of_a_path_gets_advice(text: str) -> None:
    with pytest.raises(
        tracediag.UnreadableError, match=r"this is text, not a path; pass its lines: text.splitlines\(\)"
    ):
        analyze(text)


def test_a_path_with_brackets_is_still_a_path() -> None:
    with pytest.raises(tracediag.UnreadableError, match=r"run\(1\).strace: no such file"):
        analyze("run(1).strace")


def test_one_pass_yields_every_event_and_all_findings() -> None:
    analysis = Analysis(DOUBLE)
    told = [(event, len(analysis.found)) for event in analysis.events()]
    assert [event.line for event, _ in told] == [event.line for event in read(DOUBLE)]
    (found,) = analysis.found
    assert (found.name, told[-1][1]) == ("double-close", 1)
    assert analysis.report() == analyze(DOUBLE)


def test_each_repr_is_one_line_and_names_the_place() -> None:
    report = analyze(DOUBLE)
    finding = report.findings[0]
    call = Syscall(line=7, pid=3, name="write", body='1, "' + "x" * 500 + '\x1b", 3', parser=lambda _: (), tail="= 3")
    for value, text in (
        (report, f"<Report {str(DOUBLE)!r}: "),
        (finding, f"<Finding note TD303 double-close at line {finding.primary.line}: "),
        (finding.primary, f"<Step line {finding.primary.line}, primary: "),
        (call, "<Syscall line 7 pid 3: 'write(1, "),
        (Exit(line=9, text="+++ exited with 0 +++"), "<Exit line 9: '+++ exited with 0 +++'>"),
    ):
        assert repr(value).startswith(text)
        assert repr(value).isprintable()
        assert len(repr(value)) < 250


def test_steps_have_the_wall_clock_where_the_trace_has_it() -> None:
    lines = ["7 {} close(3) = 0\n", "7 {} close(3) = -1 EBADF (Bad file descriptor)\n"]
    for times, clocks in (
        (("1700000000.000000", "1700000000.052257"), ["2023-11-14T22:13:20.000000Z", "2023-11-14T22:13:20.052257Z"]),
        (("14:03:07.5", "14:03:08.052257"), ["14:03:07.500000", "14:03:08.052257"]),
        (("23:59:59", "00:00:01"), ["23:59:59", "00:00:01"]),
        (("99999999999999.000000", "99999999999999.000001"), [None, None]),
    ):
        report = analyze([line.format(time) for line, time in zip(lines, times, strict=True)], select=["double-close"])
        assert [step.clock for step in report.findings[0].steps] == clocks


def test_the_report_shows_how_root_processes_ended() -> None:
    report = analyze(
        [
            '7 execve("/bin/sh", ["sh", "-c", "exit 3"], 0x7f /* 3 vars */) = 0\n',
            "7 clone(child_stack=NULL, flags=SIGCHLD) = 8\n",
            "8 +++ exited with 0 +++\n",
            "7 +++ exited with 3 +++\n",
        ]
    )
    (ending,) = report.endings
    assert (ending.pid, ending.program, ending.command) == (7, "/bin/sh", ("sh", "-c", "exit 3"))
    assert (ending.status, ending.signal, ending.line) == (3, None, 4)


@pytest.mark.parametrize("source", [None, 7, b"run.strace", bytearray(b"run.strace"), object()])
def test_what_is_no_trace_is_refused_by_its_type(source: object) -> None:
    with pytest.raises(TypeError, match=f"^a trace is a path or lines of text, not {type(source).__name__}$"):
        analyze(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [None, 7, b"1 getpid() = 1\n"])
def test_a_line_that_is_no_text_is_refused_by_its_type(line: object) -> None:
    with pytest.raises(TypeError, match=f"^a line of a trace is text, not {type(line).__name__}$"):
        analyze(["1 getpid() = 1\n", line])  # type: ignore[list-item]


@pytest.mark.parametrize("words", [None, 7, [None], [7], ["TD1", b"TD2"]])
def test_a_rule_that_is_named_by_no_text_is_refused_by_its_type(words: object) -> None:
    for option in ("select", "ignore"):
        with pytest.raises(TypeError, match=r"^a rule is named by text, not by (NoneType|int|bytes)$"):
            analyze([], **{option: words})  # type: ignore[arg-type]
