"""What loggers, pagers, pages and people put around the lines of a trace changes nothing of what is read."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

from tracediag.reading import Reader
from tracediag.reading.margins.pipeline import found_in
from tracediag.reading.margins.plain import is_plain
from tracediag.reading.margins.shapes import LeftMargin
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit, Signal, Stop, Superseded

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from margins import ENCODINGS, LOGGERS, MARGINS, MARKS, NUMBERS, WRAPS  # noqa: E402

SAMPLES = HERE.parent.parent / "samples"
TRACES = [
    SAMPLES / "double-close/bug-threads.f.strace",
    SAMPLES / "child-not-reaped/bug.f.strace",
    SAMPLES / "crashed/bug.f.strace",
    SAMPLES / "write-after-peer-closed/bug.strace",
]
FORMS = sorted((HERE / "recorded").glob("*.strace"))
"""Recordings with other options: clocks, relative times, stack frames, syscall numbers, a table; on a terminal."""
REPLACED = {"jenkins with a clock", "ts", "date and clock"}
"""The times of these stand directly before the record, as those of `-t`: a trace without times gets them."""


def told(event: Event) -> tuple[object, ...]:
    """Return what a margin must not change."""
    if isinstance(event, Syscall):
        return (event.pid, event.name, event.body, event.result, event.errno, event.returned, event.duration)
    if isinstance(event, Signal | Exit | Stop | Superseded):
        return (type(event), event.pid, event.text)
    return ()


def read(lines: list[str]) -> tuple[list[tuple[object, ...]], list[float | None]]:
    reader = Reader(lines)
    events = list(reader)
    assert sum(reader.counts.kinds.values()) == reader.counts.lines
    calls = [event.time for event in events if isinstance(event, Syscall)]
    return [what for event in events if (what := told(event))], calls


@cache
def lines_of(path: Path) -> list[str]:
    return path.read_text(errors="surrogateescape").splitlines()


@cache
def read_bare(path: Path) -> tuple[list[tuple[object, ...]], list[float | None]]:
    """Read a trace without a margin, once for all of them."""
    return read(lines_of(path))


@pytest.mark.parametrize("name", MARGINS)
def test_a_margin_changes_nothing(name: str) -> None:
    for path in TRACES:
        events, times = read(MARGINS[name](lines_of(path)))
        assert events == read_bare(path)[0], path
        if name not in REPLACED or None not in read_bare(path)[1]:
            assert times == read_bare(path)[1], path


@pytest.mark.parametrize("name", sorted(set(MARGINS) - set(WRAPS)))
def test_a_margin_before_every_form_of_strace(name: str) -> None:
    for path in FORMS:
        assert read(MARGINS[name](lines_of(path)))[0] == read_bare(path)[0], path


@pytest.mark.parametrize("name", [*LOGGERS, *MARKS, *ENCODINGS, *sorted(set(NUMBERS) - {"glued", "less -N from 840"})])
def test_a_margin_of_three_lines(name: str) -> None:
    bare = [
        'openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3',
        'read(3, "127.0.0.1 \\"localhost\\"\\n"..., 4096) = 262',
        "close(4) = -1 EBADF (Bad file descriptor)",
    ]
    assert read(MARGINS[name](bare))[0] == read(bare)[0]


@pytest.mark.parametrize("name", [*LOGGERS, *NUMBERS, *MARKS])
def test_a_stray_line_changes_nothing(name: str) -> None:
    shown = MARGINS[name](lines_of(TRACES[0]))
    stray = [
        "$ ./run",
        "0 errors",
        "12 warnings",
        "Nov 23 10:00:00 other host: getsid(0)",
        "",
        "and then getsid(0) hangs",
    ]
    for lines in (shown + stray, shown if name == "glued" else stray + shown):
        assert [event for event in read(lines)[0] if "getsid" not in event] == read_bare(TRACES[0])[0]


PIDS = [
    '1234 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3',
    "1235 close(5) = -1 EBADF (Bad file descriptor)",
    "1234 futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>",
    '1235 write(1, "x", 1) = 1',
    "1234 <... futex resumed>) = 0",
    "1234 +++ exited with 0 +++",
]


@pytest.mark.parametrize(
    "form",
    [
        "Mon 2026-11-23 10:00:0{n} CET host app[12]: {line}",
        "[Mon Nov 23 10:00:0{n}.123456 2026] [error] [pid 55] {line}",
        "[Mon Nov 23 10:00:0{n} 2026] {line}",
        "Mon Nov 23 10:00:0{n} 2026 {line}",
        "I1123 10:00:0{n}.123456   12345 main.go:12] {line}",
        "test (ubuntu-latest, 3.11)\tRun strace\t2026-11-23T10:00:00.123456{n}Z {line}",
        "2026-11-23T10:00:0{n}.123Z\tabc-def\tINFO\t{line}",
        "2026-11-23 10:00:0{n},123 DEBG 'web' stderr output: {line}",
        "11-23 10:00:0{n}.123 I/strace( 1234): {line}",
        "1795404820.12345{n} host app[12]: {line}",
        "[10:0{n}] <nick> {line}",
        "L{n}{line}",
        "{n}-{line}",
        "    **{line}**",
        "__{line}__",
        '{{"t": 1, "log": "{{\\"msg\\": \\"{quoted}\\"}}"}}',
        "{n},web,{line}",
        "@4000000052f7e8b51f9a2c4{n} {line}",
    ],
)
def test_margins_of_other_tools(form: str) -> None:
    """Forms that no list names: the shape that the lines share is the margin."""
    shown = [form.format(n=n, line=line, quoted=line.replace('"', r"\\\"")) for n, line in enumerate(PIDS, 1)]
    assert read(shown)[0] == read(PIDS)[0]


def test_a_record_in_parts_keeps_its_line() -> None:
    shown = MARGINS["cri in parts"](PIDS[:1] * 2 + ['1234 write(1, "' + "x" * 200 + '", 200) = 200', PIDS[1]])
    assert [event.line for event in Reader(shown) if isinstance(event, Syscall)] == [1, 2, 3, 6]


def test_halves_without_a_margin_keep_rising_pids() -> None:
    lines = [f'{pid} execve("/bin/true", ["true"], 0x7f00 /* 2 vars */) = 0' for pid in range(700, 706)]
    assert [event.pid for event in Reader(lines)] == [*range(700, 706)]  # type: ignore[union-attr]


def test_a_carriage_return_ends_lines_with_a_margin(tmp_path: Path) -> None:
    path = tmp_path / "quoted.txt"
    path.write_text("".join(f"> {line}\r" for line in PIDS))
    assert [told(event) for event in Reader(path) if told(event)] == read(PIDS)[0]


def test_a_plain_trace_is_told_at_a_glance() -> None:
    """What is found in it is the same as if all damages had been looked for."""
    lines = [f'7 0{i % 10}:00:00 read({i}<TCP:[a->b]>, "x", 1) = {i} <0.000001>' for i in range(30)]
    assert is_plain(lines)
    assert not is_plain([f"{number} {line[2:]}" for number, line in enumerate(lines, 1)])  # numbers of lines
    assert not is_plain([f"{line} |" for line in lines])
    assert not is_plain([f"app: {line}" for line in lines])
    assert not is_plain([part for line in lines for part in (line[:30], line[30:])])
    assert found_in([line.replace("<TCP", "&lt;TCP") for line in lines])


def test_a_page_in_one_line_has_as_many_lines_as_breaks() -> None:
    lines = [f"read({number}, 0x7ffc, 1) = -1 EBADF (Bad file descriptor)" for number in range(3, 40)]
    page = f"<pre>{'<br/>'.join(line.replace('<', '&lt;') for line in lines)}</pre>\n"
    assert [event.arg(0) for event in Reader([page]) if isinstance(event, Syscall)] == list(range(3, 40))


def test_two_margins_may_both_have_a_clock_and_a_pid() -> None:
    clock = r"(?P<clock>[0-9:]{8}) (?P<pid>[0-9]{2} )"
    found = LeftMargin([rf"app {clock}", rf"db {clock}"], parts=False, clocks=False)
    assert [*found.lines(["db 10:00:00 12 close(3) = 0"]), *found.rest()] == ["12 10:00:00 close(3) = 0"]
