"""The identity of a process: users and groups, process group, session, terminal."""

from __future__ import annotations

import pytest
from recordings import replay
from test_process_table import kernel_of

from tracediag.kernel.credentials import Ids
from tracediag.kernel.process import Process

BOTH = pytest.mark.parametrize("name", ["standing", "standing.f"])
ROOT = Ids(0, 0, 0)


def alone(*lines: str) -> Process:
    (process,) = kernel_of(*lines).processes
    return process


@BOTH
def test_a_shell_and_its_job(name: str) -> None:
    kernel = replay(name, "TIOCSPGRP")
    first, shell, job = kernel.processes
    assert first.group is not None
    assert first.session is not None
    assert (shell.session, shell.group) == (shell.pid, shell.pid)
    assert (job.session, job.group) == (shell.pid, job.pid)
    assert job.terminal is shell.terminal
    assert job.terminal.foreground == job.pid
    assert first.terminal is not shell.terminal


@BOTH
def test_a_child_inherits_them(name: str) -> None:
    first, *_, last = replay(name, "getuid()").processes
    assert (last.group, last.session, last.terminal) == (first.group, first.session, first.terminal)


@BOTH
@pytest.mark.parametrize(
    ("until", "uids", "gids"),
    [
        ("getuid()", Ids(0), Ids()),
        ("setresgid(-1, 65534, -1)", Ids(0), Ids(None, 65534)),
        ("setgid(65534)", Ids(0), Ids(None, 65534)),
        ("setresuid(-1, 65534, -1)", Ids(0, 65534), Ids(None, 65534)),
        ("setuid(0)", Ids(0, 0), Ids(None, 65534)),
        ("setreuid(65534, 65534)", Ids(65534, 65534, 65534), Ids(None, 65534)),
    ],
)
def test_users_and_groups_as_far_as_shown(name: str, until: str, uids: Ids, gids: Ids) -> None:
    process = replay(name, until).processes[-1]
    assert (process.uids, process.gids) == (uids, gids)
    assert process.groups.numbers == (None if until == "getuid()" else (10, 20))


def test_root_sets_all_three() -> None:
    asked = ("getresuid([0], [0], [0]) = 0", "getresgid([0], [0], [0]) = 0")
    process = alone(*asked, "setgid(5) = 0", "setuid(6) = 0")
    assert (process.uids, process.gids) == (Ids(6, 6, 6), Ids(5, 5, 5))


def test_other_users_set_only_the_effective_id() -> None:
    process = alone("getresuid([1], [1], [2]) = 0", "getresgid([3], [3], [4]) = 0", "setgid(4) = 0", "setuid(2) = 0")
    assert (process.uids, process.gids) == (Ids(1, 2, 2), Ids(3, 4, 4))


def test_what_fails_changes_nothing() -> None:
    process = alone("getresuid([0], [0], [0]) = 0", "setuid(6) = -1 EAGAIN (Resource temporarily unavailable)")
    assert process.uids == ROOT


@pytest.mark.parametrize(
    ("before", "call", "after"),
    [
        (ROOT, (None, 5), Ids(0, 5, 5)),
        (ROOT, (None, 0), ROOT),
        (Ids(1, 0, 0), (None, 1), Ids(1, 1, 0)),
        (ROOT, (5, None), Ids(5, 0, 0)),
        (ROOT, (None, None), ROOT),
        (Ids(), (None, 5), Ids(None, 5, None)),
    ],
)
def test_real_and_effective_id_together(before: Ids, call: tuple[int | None, int | None], after: Ids) -> None:
    assert before.set_two(*call) == after


def test_a_program_may_be_set_user_id() -> None:
    process = alone("getresuid([1], [1], [1]) = 0", 'execve("/usr/bin/su", ["su"], 0x7ffe /* 1 var */) = 0')
    assert process.uids == Ids(1)


def test_no_other_groups() -> None:
    assert alone("getgroups(0, NULL) = 0").groups.numbers == ()
    assert alone("getgroups(0, NULL) = 3").groups.numbers is None
    process = alone("setgroups(0, NULL) = 0", "getgroups(65536, []) = 0")
    assert process.groups.numbers == ()
    assert process.groups.set_by is not None
    assert process.groups.set_by.line == 1
