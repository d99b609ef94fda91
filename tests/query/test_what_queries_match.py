"""Queries and the lines that they match in recorded traces; a match of a sequence is a tuple of lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews.searching.search import Searching
from tracediag.query import compile_query

SAMPLES = Path(__file__).parents[2] / "samples"
QUERIES: dict[str, list[tuple[str, list[object]]]] = {
    "setfl-clobbers-flags/bug.strace": [
        ('flags.cleared == "O_APPEND" and flags.added == "O_NONBLOCK" and flags.passed == "O_NONBLOCK"', [33]),
        ("flags.new_mode and flags.all_known and not flags.from_getfl and not flags.getfl", [33]),
        ("flags.set.flags has O_APPEND", [33]),
    ],
    "setfl-clobbers-flags/fixed.strace": [('flags.cleared == "" and flags.getfl and flags.from_getfl', [34])],
    "exec-broke-process/bug.strace": [
        ("call == execve and process.limit.as < 64MiB and process.limit.as.shown.line == 33", [34]),
        ('call in %exec and process.name == "bug (pid 16991)"', [34]),
        ("process.limit.data.shown", []),
    ],
    "child-status-lost/bug.strace": [
        ("child.pid > 0 and child.created.call == clone and child.exit", [32]),
        ("errno == ECHILD and process.ignores has SIGCHLD and process.sigchld", [32]),
        ("child.taken or process.handles has SIGCHLD", []),
    ],
    "child-status-lost/bug-handler.strace": [
        ("child.taken.call == wait4 and child.taken_here and not (child.created or child.exit)", [41]),
    ],
    "epipe-still-registered/bug.strace": [
        ("call == epoll_wait and line < 60", [48, 51, 55, 56, 57, 58, 59]),
        ("call in (accept, accept4)", [49]),
        ("call in %accept", [49]),
        ("call not in %memory and line < 12", [1, 4, 5, 6, 8, 9, 10, 11]),
        ("errno == EPIPE", [54]),
        ("errno != ENOENT", [54]),
        ("errno in (ENOENT, EPIPE)", [4, 54]),
        ("failed", [4, 54]),
        ("not returned", [44, 93]),
        ("result < 0", [4, 54]),
        ("result >= 4KiB", [2, 3, 7, 14, 15, 16, 17, 18, 20, 22, 36, 38]),
        ("bytes == 9", [43, 52]),
        ("bytes > 800", [10]),
        ("duration > 90us", [1, 36, 42, 38]),
        ("duration > 0.5ms", [38]),
        ("line == 42", [42]),
        ("line in (41, 42, 43)", [41, 42, 43]),
        ("pid == 19898 and call in %network", [41, 42, 43]),
        ('path == "/etc/ld.so.cache"', [5]),
        ('path ~ "\\.so(\\.\\d+)*$"', [9]),
        ('path under "/etc"', [4, 5]),
        ('path under "/et"', []),
        ('path !~ "/lib" and call in %open', [5]),
        ("flags has O_CLOEXEC", [5, 9]),
        ("flags has MSG_NOSIGNAL and failed", [54]),
        ('text ~ "^GET /"', [43, 52]),
        ('text == "hello\\n"', [54]),
        ('arg("op") == EPOLL_CTL_ADD', [35, 50]),
        ('arg("flags") has SOCK_NONBLOCK', [49]),
        ('arg("fd") == 5 and call == recvfrom', [52]),
        ('arg("backlog") >= 1', [32]),
        ('arg("size") < 600', []),
        ('detail ~ "Timeout"', []),
        ("fd.kind == socket and call in %send", [43, 53, 54]),
        ("fd.kind == epoll and call != epoll_wait", [34]),
        ("fd.kind in (file, pipe) and call == close", [8, 19]),
        ('fd.path ~ "libc"', [9, 10, 11, 12, 13, 14, 15, 16, 17, 19]),
        ("fd.flags has O_NONBLOCK", [30, 31, 32, 33, 35, 40, 49, 50, 52, 53, 54]),
        ('fd.protocol == "TCP" and call in %receive', [52]),
        ("fd.last_write and call == sendto", [54]),
        ("fd.last_write.bytes == 19", [54]),
        ("fd.created.call == accept4 and failed", [54]),
        ("fd.opened.flags has SOCK_STREAM and call == listen", [32]),
        ("fd.breaks", [54]),
        ('fd.family == "AF_INET" and call == bind', [31]),
        ("fd.listening", [32, 33, 35, 40, 49]),
        ("fd.peer.port == 40743", [42, 43]),
        ('fd.peer.host == "127.0.0.1" and failed', [54]),
        ("fd.local.port == 40743 and bytes > 0", [52, 53]),
        ('fd.peer ~ ":59198$"', [50, 52, 53, 54]),
        ("fd.number == 5 and call == epoll_ctl", [50]),
        ("process.pid == 19898 and bytes > 0", [43]),
        ('process.comm == "bug" and call == bind', [31]),
        ('process.program ~ "/bug$" and call == listen', [32]),
        ('process.command ~ "bug" and call in %exit', [44, 93]),
        ("let sent = call in %send and not failed; sent and bytes < 10", [43]),
        ("(failed or bytes == 19) and not (errno == ENOENT)", [53, 54]),
        ("time > 1795418276.1357 and call == sendto", [54]),
        ("# nothing\nfailed # comment\nand line > 10", [54]),
        (
            (
                "sequence by descriptor"
                ' [call == epoll_ctl and arg("op") == EPOLL_CTL_ADD]'
                " [call in %receive]"
                " [failed] until"
                " [call in %close]"
            ),
            [(50, 52, 54)],
        ),
        ("sequence by process [call == socket] [call == bind] [call == listen]", [(30, 31, 32)]),
        ("sequence by peer [call in %receive] [errno == EPIPE] within 1s", [(52, 54)]),
        ("sequence by thread [call in %fork] [call in %close] [call in %accept]", []),
        ("count by description [call in %wait and reports it] >= 10 within 1s", [(51, 92)]),
    ],
    "socket-server-absent/bug.strace": [
        ("call == connect and errno == ENOENT", [35]),
    ],
    "replace-without-fsync/bug.strace": [
        ('call in %rename and path == "state.conf"', [33, 37, 41]),
        ('path == "/srv/tracediag/replace-without-fsync/state.conf.tmp"', [30, 34, 38]),
        (
            ("absent [call in (fsync, fdatasync)] between [call in %write] and [call == rename] by file"),
            [(31, 33), (35, 37), (39, 41)],
        ),
        (
            ("sequence by path [call in %open and flags has O_TRUNC] [call in %rename]"),
            [(30, 33), (34, 37), (38, 41)],
        ),
    ],
    "close-storm/bug.strace": [
        ('errno == EBADF and arg("fd") < 10', [32, 33, 34, 35, 36, 37, 38]),
    ],
    "exec-interpreter-missing/bug-bash.strace": [
        ("call in %exec and failed", [170]),
    ],
    "shared-library-missing/bug-plugin.strace": [
        ('call == openat and errno == ENOENT and path ~ "plugin"', []),
    ],
    "dns-no-answer/bug.strace": [
        ("call in %send and fd.peer.port == 53", [59]),
    ],
    "accept-emfile-spin/bug.strace": [
        ("call in %accept and errno == EMFILE and line < 60", []),
    ],
}
CASES = [(trace, query, lines) for trace, queries in QUERIES.items() for query, lines in queries]


@pytest.mark.parametrize(("trace", "query", "lines"), CASES)
def test_a_query_matches_these_lines(trace: str, query: str, lines: list[object]) -> None:
    matches = list(Searching(str(SAMPLES / trace), compile_query(query)))
    found = [tuple(call.line for call in match.calls) for match in matches]
    assert [each[0] if len(each) == 1 else each for each in found] == lines


def test_there_are_queries_of_every_kind() -> None:
    assert len(CASES) >= 60
    assert sum(bool(lines) for *_, lines in CASES) > 50
