"""Conditions about signals and the ends of threads, alone, beside those about calls, and as steps."""

from __future__ import annotations

import pytest

from tracediag import open_trace
from tracediag.overviews.searching.search import Searching
from tracediag.query import QueryError, compile_field, compile_query

TRACE = """\
7 1700000000.000000 rt_sigaction(SIGTERM, {sa_handler=0x1, sa_mask=[], sa_flags=0}, NULL, 8) = 0
7 1700000001.000000 flock(3, LOCK_EX|LOCK_NB) = -1 EAGAIN (Resource temporarily unavailable)
7 1700000002.000000 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=1000, si_status=3} ---
7 1700000003.000000 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---
7 1700000004.000000 getpid() = 7
7 1700000005.000000 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---
7 1700000006.000000 +++ killed by SIGSEGV (core dumped) +++
"""


def lines_of(query: str, trace: str = TRACE) -> list[tuple[int, ...]]:
    search = Searching(trace.splitlines(keepends=True), compile_query(query))
    return [tuple(call.line for call in match.calls) for match in search]


def first_lines(query: str, trace: str = TRACE) -> list[int]:
    return [lines[0] for lines in lines_of(query, trace)]


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("signal == SIGCHLD", [3]),
        ("signal in (SIGCHLD, SIGSEGV)", [3, 6]),
        ("not (signal == SIGCHLD)", [4, 6]),
        ("si_code == SEGV_MAPERR and si_addr < 4096", [6]),
        ("si_pid == 8 and si_uid == 1000 and si_status == 3", [3]),
        ("si_status != 0", [3]),
        ("exit", [7]),
        ("not exit", []),
        ("exit.signal == SIGSEGV and exit.dumped and exit.last", [7]),
        ("exit.status == 0", []),
        ("signal == SIGTERM or errno == EAGAIN", [2, 4]),
        ("signal == SIGTERM or not failed", [1, 4, 5]),
        ("(signal == SIGTERM or exit) and process.pid == 7", [4, 7]),
        ("signal == SIGTERM or process.pid == 7", [1, 2, 4, 5]),
        ("process.pid == 7", [1, 2, 5]),
        ("line > 5", []),
        ("signal == SIGSEGV and thread.last.call == getpid", [6]),
        ("signal == SIGSEGV and thread.last.call == flock", []),
        ("signal == SIGTERM and thread.delivered.signal == SIGCHLD and thread.struck", [4]),
        ("signal == SIGSEGV and thread.struck", []),
        ("let crash = signal == SIGSEGV; crash or exit", [6, 7]),
    ],
)
def test_a_condition_is_about_the_events_that_it_names(query: str, lines: list[int]) -> None:
    assert first_lines(query) == lines


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("sequence by process [signal == SIGTERM] [exit.signal == SIGSEGV]", [(4, 7)]),
        ("sequence by thread [errno == EAGAIN] [signal == SIGTERM] [exit] within 10s", [(2, 4, 7)]),
        ("sequence by thread [errno == EAGAIN] [signal == SIGTERM] [exit] within 4s", []),
        ("sequence by process [errno == EAGAIN] [not failed]", [(2, 5)]),
        ("sequence by process [signal == SIGCHLD] [exit] until [signal == SIGTERM]", []),
        ("count by process [signal in (SIGCHLD, SIGTERM, SIGSEGV)] >= 3", [(3, 6)]),
        ("absent [call == getpid] between [signal == SIGTERM] and [exit] by process", []),
        ("absent [call == flock] between [signal == SIGTERM] and [exit] by process", [(4, 7)]),
    ],
)
def test_a_signal_or_an_end_is_a_step(query: str, lines: list[tuple[int, ...]]) -> None:
    assert lines_of(query) == lines


def test_a_match_is_dropped_if_a_later_call_makes_it_good() -> None:
    query = "sequence by process [call == flock and errno == EAGAIN] unless [call == flock and not failed]"
    assert lines_of(query) == [(2,)]
    again = TRACE.replace("getpid() = 7", "flock(3, LOCK_EX|LOCK_NB) = 0")
    assert lines_of(query, again) == []
    assert lines_of(query.replace("process", "description"), again.replace("flock(3", "flock(4", 1)) == [(2,)]
    both = "sequence by process [errno == EAGAIN] [signal == SIGCHLD] within 2s unless [exit.signal == SIGKILL]"
    assert lines_of(both) == [(2, 3)]
    assert lines_of(both.replace("SIGKILL", "SIGSEGV")) == []
    assert lines_of("sequence by process [errno == EAGAIN] [exit] unless [call == exit_group] within 2s") == []


def test_of_an_object_that_is_gone_the_match_stays() -> None:
    trace = 'open("/a", O_RDWR) = 3\nwrite(3, "x", 1) = 1\nclose(3) = 0\nopen("/b", O_RDWR) = 3\nfsync(3) = 0\n'
    query = "sequence by description [call == write] unless [call == fsync]"
    assert lines_of(query, trace) == [(2,)]
    assert lines_of(query, trace.replace("close(3)", "fsync(3)")) == []


def test_unless_proves_nothing_where_the_recording_would_not_show_the_call() -> None:
    lines = ['write(3, "x", 1) = 1\n', *['stat("/d", {}) = 0\n', "close(9) = 0\n"] * 200]
    search = Searching(lines, compile_query("sequence by process [call == write] unless [call == fsync]"))
    assert not list(search)
    assert search.unchecked == "`unless` is not checked: the recording may lack fsync; record without -e"


def test_a_signal_is_found_as_it_stands_in_the_trace() -> None:
    (found,) = Searching(TRACE.splitlines(keepends=True), compile_query("signal == SIGSEGV"), why=True)
    assert found.calls[0].text == "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---"
    assert (found.calls[0].name, found.calls[0].result, found.calls[0].errno) == ("signal", None, None)
    assert [(reason.part, reason.value) for reason in found.why] == [("signal == SIGSEGV", "SIGSEGV")]


def test_calls_of_the_library_are_calls() -> None:
    trace = open_trace(TRACE.splitlines(keepends=True))
    assert [found.calls[0].line for found in trace.search("exit")] == [7]
    with pytest.raises(QueryError, match="use search"):
        trace.calls().where("signal == SIGSEGV")


def test_every_call_is_seen_where_the_one_before_a_signal_is_asked_for() -> None:
    lines = TRACE.replace("getpid() = 7", "sched_yield() = 0").splitlines(keepends=True)
    query = compile_query("signal == SIGSEGV and thread.last.call == sched_yield")
    assert [match.calls[0].line for match in Searching(lines, query)] == [6]
    by = compile_field("thread.last.call")
    search = Searching(lines, compile_query("signal == SIGSEGV"), model=by.model, every=by.every)
    assert [group.value for group in search.grouped(by).groups] == ["sched_yield"]
