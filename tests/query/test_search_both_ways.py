"""A search reads only what its query needs: it must find the same as one that makes an event of every call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews.searching.search import Searching, found_call
from tracediag.query import compile_query
from tracediag.reading import Reader, UnreadableError
from tracediag.reading.slowpath import SlowPath
from tracediag.trace.events import Syscall

ROOT = Path(__file__).parents[2]
TRACES = sorted(path for folder in ("samples", "tests") for path in (ROOT / folder).rglob("*.strace"))
QUERIES = (
    "errno == EPIPE",
    "call in %send and errno == EPIPE",
    "call in (openat, open) and errno == ENOENT",
    "call in %wait",
    r'path ~ "\.so(\.\d+)*$"',
    r'path ~ "\.conf$" or path ~ "passwd"',
    r'path ~ "locale" and errno == ENOENT',
    "call == futex",
    "call == read and errno in (EAGAIN, EINTR, ERESTARTSYS)",
    'text ~ "e" and result > 0',
)
PARTS = 4
EACH = 3
"""Of each trace every third query is asked, from the first, the second or the third on."""


def calls_of(trace: str) -> list[Syscall]:
    try:
        return [event for event in Reader(trace) if isinstance(event, Syscall)]
    except UnreadableError:
        return []


@pytest.mark.parametrize("part", range(PARTS))
def test_the_quick_way_finds_what_the_slow_way_finds(part: int) -> None:
    queries, found = [compile_query(text) for text in QUERIES], dict.fromkeys(QUERIES, 0)
    assert len(TRACES) > 500
    for number, trace in enumerate(map(str, TRACES[part::PARTS])):
        calls = calls_of(trace)
        for query in queries[number % EACH :: EACH] if calls else ():
            slow = [found_call(call) for call in calls if query.matches_call(call)]
            quick = [call for match in Searching(trace, query) for call in match.calls]
            assert quick == slow, trace
            found[query.text] += len(quick)
    assert min(found.values()) > 0, found


def test_an_errno_in_a_string_is_no_errno() -> None:
    lines = [
        '1 write(2, "= -1 EPIPE (Broken pipe)\\n", 25) = 25\n',
        '1 write(2, ") = -1 EPIPE (Broken pipe)", 26 <unfinished ...>\n',
        '2 write(1, "x", 1) = -1 EPIPE (Broken pipe)\n',
        "1 <... write resumed>) = 26\n",
        '3 write(1, "y", 1 <unfinished ...>\n',
        "3 <... write resumed>) = -1 EPIPE (Broken pipe)\n",
    ]
    for query in ("errno == EPIPE", "call == write and errno == EPIPE"):
        found = [match.calls[0] for match in Searching(lines, compile_query(query))]
        assert [(call.line, call.end_line) for call in found] == [(3, 3), (5, 6)]
        assert found[1].text == 'write(1, "y", 1) = -1 EPIPE (Broken pipe)'


def found_in(lines: list[str], query: str) -> list[Syscall]:
    return list(Searching([f"{line}\n" for line in lines], compile_query(query)).calls())


def test_lines_are_stepped_over_and_still_counted() -> None:
    lines = ['7 read(3, "x", 1) = 1', '7 openat(AT_FDCWD, "/a", O_RDONLY) = 3', "7 read(3,  <unfinished ...>"]
    lines += [
        '8 write(1, ") = -1 EPIPE (Broken pipe)", 26) = 26',
        '7 <... read resumed>"", 1) = 0',
        "8 +++ exited with 0 +++",
    ]
    search = Searching([f"{line}\n" for line in lines * 50], compile_query("call == openat"))
    assert [call.line for call in search.calls()] == list(range(2, 300, 6))
    source = search.source()
    assert (source.lines, source.calls, source.not_understood) == (300, 200, 0)


def test_of_lines_stepped_over_only_those_of_a_waiting_thread_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ["8 close(5) = 0"] * 30
    lines = [*other, '7 write(1, "a) b", 4 <unfinished ...>', *other, "7 <... write resumed>) = 4", *other]
    read: list[int] = []
    slowly = SlowPath.read
    monkeypatch.setattr(SlowPath, "read", lambda self, number, line: read.append(number) or slowly(self, number, line))
    search = Searching([f"{line}\n" for line in lines], compile_query("call == connect"))
    assert list(search.calls()) == []
    assert (search.source().lines, search.source().calls) == (92, 91)
    assert read == [31, 62]


@pytest.mark.parametrize("prefix", ["", "[pid 7] ", "7<sh> "])
def test_a_half_that_waits_is_found_in_whatever_is_stepped_over(prefix: str) -> None:
    others = [f"{prefix}close(5) = 0", "[pid 8] close(6) = 0"] if prefix.startswith("[") else ["8 close(6) = 0"] * 2
    lines = [f'{prefix}openat(AT_FDCWD, "/a)", O_RDONLY <unfinished ...>', *others * 20]
    lines += [f"{prefix}<... openat resumed>) = 3", *others * 20]
    slow = [event for event in Reader([f"{line}\n" for line in lines]) if isinstance(event, Syscall)]
    told = [(call.line, call.end_line, call.text) for call in slow if call.name == "openat"]
    assert [(call.line, call.end_line, call.text) for call in found_in(lines, "call == openat")] == told


def test_a_call_that_its_process_abandons_has_not_returned() -> None:
    lines = ['7 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>', "8 close(3) = 0", "7 close(4) = 0", "8 close(5) = 0"]
    lines += ["7 <... openat resumed>) = 3", '8 openat(AT_FDCWD, "/b", O_RDONLY) = 3']
    found = [(call.line, call.end_line, call.returned) for call in found_in(lines, "call == openat")]
    slow = [event for event in Reader([f"{line}\n" for line in lines]) if isinstance(event, Syscall)]
    assert found == [(call.line, call.end_line, call.returned) for call in slow if call.name == "openat"]
    assert found[0] == (1, 1, False)


def test_midnight_is_not_missed_in_lines_that_are_stepped_over() -> None:
    lines = ['7 20:00:00 openat(AT_FDCWD, "/a", O_RDONLY) = 3']
    lines += [f"7 {hour % 24:02}:{n // 10:02}:00 close(3) = 0" for hour in range(20, 46) for n in range(600)]
    lines.append('7 22:30:00 openat(AT_FDCWD, "/b", O_RDONLY) = 3')
    first, last = found_in(lines, "call == openat")
    assert (first.time, last.time) == (20 * 3600.0, 24 * 3600 + 22.5 * 3600)
