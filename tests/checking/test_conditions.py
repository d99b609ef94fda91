"""Conditions that can never match, or always do: what is said of them, and that no recorded trace says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.checking.queries import check_query
from tracediag.kernel import Kernel, apply
from tracediag.query import compile_query
from tracediag.query.grammar import parse
from tracediag.query.nodes import Both
from tracediag.reading import Reader
from tracediag.rules.heads import parse_head, split_head
from tracediag.trace.events import Syscall

ROOT = Path(__file__).parents[2]
TRACES = sorted((ROOT / "samples").glob("*/bug.strace"))[::4]
PAGES = sorted((ROOT / "tracediag" / "rules" / "failure").glob("*.md"))

NEVER = {
    "errno == ENOENT and errno == EPERM": "`errno == ENOENT` and `errno == EPERM` exclude each other",
    "errno in (ENOENT, EACCES) and errno != ENOENT and errno != EACCES": "its comparisons exclude each other",
    "result < 0 and not failed": "`result < 0` and `not failed` exclude each other: a call that fails returns -1",
    "errno == EPIPE and result == 0": "exclude each other: a call that fails returns -1 and moves nothing",
    "failed and bytes > 0": "exclude each other: a call that fails returns -1 and moves nothing",
    "not failed and errno == EPIPE": "exclude each other",
    "call == read and call == write": "exclude each other: no call is both",
    "call in %file and call in (read, write)": "exclude each other: no call is both",
    "bytes < 0": "`bytes < 0`",
    "duration < 0ms": "`duration < 0ms`",
    "fd.peer.port == 70000": "`fd.peer.port == 70000`",
    "result > 5 and result < 3": "exclude each other",
    "duration >= 100ms and duration < 100ms": "exclude each other",
    "call == close and flags has O_CREAT": "exclude each other: the call takes no O_CREAT",
    "call == socket and flags has O_CREAT": "exclude each other: the call takes no O_CREAT",
    "call == getpid and failed": "exclude each other: the call never fails",
    'call == close and path == "/x"': "exclude each other: the call has no path",
    'call == epoll_wait and arg("flags") has O_CREAT': "exclude each other: the call has no argument flags",
    'arg("cmd") == F_SETFL and arg("cmd") == F_GETFL': "exclude each other",
    "fd.kind == file and fd.peer.port == 53": "exclude each other: only a socket has fd.peer.port",
    "fd.flags has O_RDONLY and fd.flags has O_WRONLY": "exclude each other",
    "let gone = errno == EPIPE; gone and not gone": "exclude each other",
}
ALWAYS = [
    "failed or not failed",
    "line >= 1",
    "call in %file or call not in %file",
    "errno == EPIPE or not errno == EPIPE",
]
SOUND = [
    "call == openat and errno == ENOENT and flags has O_CREAT",
    "errno != ENOENT",
    "failed and errno != EAGAIN",
    "result >= 0 or failed",
    "duration > 100ms and duration < 2s",
    'path == "/a" and path == "/b"',
    "flags has O_NONBLOCK and flags has O_CREAT",
    "call == accept4 and flags has SOCK_CLOEXEC",
    'arg("fd") == 3 and arg("op") == EPOLL_CTL_ADD',
    "call == mmap and flags has MAP_SHARED and flags has PROT_WRITE",
    "returned and not failed and result == 0",
    'fd.kind == socket and fd.path ~ "x"',
    "bytes >= 0",
    "line == 1",
]  # fmt: skip


def said(query: str) -> list[str]:
    return [remark.message for remark in check_query(query)]


@pytest.mark.parametrize(("query", "reason"), NEVER.items(), ids=NEVER)
def test_what_can_never_match_is_told_with_the_reason(query: str, reason: str) -> None:
    (message,) = said(query)
    assert message.startswith("this can never match: ")
    assert reason in message


@pytest.mark.parametrize("query", ALWAYS)
def test_what_is_always_true_is_told(query: str) -> None:
    assert said(query) == ["this is true of every call"]


@pytest.mark.parametrize("query", SOUND)
def test_what_is_possible_is_not(query: str) -> None:
    assert said(query) == []


def test_no_recorded_trace_disproves_what_is_said() -> None:
    never, always = [compile_query(query) for query in NEVER], [compile_query(query) for query in ALWAYS]
    seen = 0
    for path in TRACES:
        kernel = Kernel()
        for event in Reader(str(path)):
            action = apply(kernel, event)
            if isinstance(event, Syscall):
                seen += 1
                assert not any(query.matches(action) for query in never)
                assert all(query.matches(action) for query in always)
    assert seen > 1000


def test_only_the_wrong_part_is_told_with_its_place() -> None:
    (remark,) = check_query("call == read or (call == write and errno == EPIPE and errno == EIO)")
    assert remark.place == 17
    query = "sequence by file [failed] [call == read and call == write] until [line >= 1 and failed]"
    assert [query[remark.place :][:9] for remark in check_query(query)] == ["call == r", "line >= 1"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_our_own_pages_have_nothing_wrong(page: Path) -> None:
    head = split_head(page.read_text(encoding="utf-8"))[0]
    for reading in parse_head(head).readings if head else ():
        assert said(reading.match) == []


def test_a_condition_with_very_many_cases_is_taken_to_be_possible() -> None:
    one = "(failed or call == read)"
    query = " and ".join([one] * 40)
    assert isinstance(parse(query).body, Both)
    assert said(query) == []


def test_all_errors_are_told_and_each_with_its_place() -> None:
    query = 'erno == EPIPE and call == opn and\n flags has O_CREATE and path ~ "a\\.b/config.json"'
    found = [(query[remark.place :][:8], remark.message) for remark in check_query(query)]
    assert found == [
        ("erno == ", "nothing is named erno; did you mean errno?"),
        ("opn and\n", "no call is named opn; did you mean open?"),
        ("O_CREATE", "no constant is known as O_CREATE; did you mean O_CREAT?"),
        ('.json"', 'this dot matches any character; a dot is written \\. in "a\\.b/config.json"'),
    ]  # fmt: skip
