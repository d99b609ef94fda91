"""A search reads only what its query needs: it must find the same as one that makes an event of every call."""

from __future__ import annotations

from pathlib import Path

from tracediag.overviews.searching import Searching, found_call
from tracediag.query import compile_query
from tracediag.reading import Reader, UnreadableError
from tracediag.trace.events import Syscall

ROOT = Path(__file__).parents[2]
TRACES = sorted(path for folder in ("samples", "tests") for path in (ROOT / folder).rglob("*.strace"))
QUERIES = (
    "errno == EPIPE",
    "call in %send and errno == EPIPE",
    "call in (openat, open) and errno == ENOENT",
    "call in %wait",
    r'path ~ "\.so(\.\d+)*$"',
    'text ~ "e" and result > 0',
)


def calls_of(trace: str) -> list[Syscall]:
    try:
        return [event for event in Reader(trace) if isinstance(event, Syscall)]
    except UnreadableError:
        return []


def test_the_quick_way_finds_what_the_slow_way_finds() -> None:
    queries, found = [compile_query(text) for text in QUERIES], dict.fromkeys(QUERIES, 0)
    assert len(TRACES) > 500
    for trace in map(str, TRACES):
        calls = calls_of(trace)
        for query in queries if calls else ():
            slow = [found_call(call) for call in calls if query.matches_call(call)]
            quick = [call for match in Searching(trace, query) for call in match.calls]
            assert quick == slow, trace
            found[query.text] += len(quick)
    assert min(found.values()) > 20, found


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
