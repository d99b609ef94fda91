"""The parent of a process, its state if exits are not reported, and which failures belong to a program."""

from __future__ import annotations

from tracediag.api import read
from tracediag.kernel import Kernel, apply
from tracediag.kernel.process import Process


def _after(text: str) -> Kernel:
    kernel = Kernel()
    for event in read([f"{line}\n" for line in text.strip().splitlines()]):
        apply(kernel, event)
    return kernel


def _process(kernel: Kernel, pid: int) -> Process:
    return next(process for process in kernel.processes if process.pid == pid)


def test_child_of_two_processes_that_fork_concurrently() -> None:
    kernel = _after("""
10 getpid() = 10
20 getpid() = 20
10 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
20 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
11 getpid() = 11
10 <... clone resumed>) = 11
20 <... clone resumed>) = 21
21 getpid() = 21
""")
    assert _process(kernel, 11).parent is _process(kernel, 10)
    assert _process(kernel, 21).parent is _process(kernel, 20)
    assert set(_process(kernel, 10).children) == {11}
    assert set(_process(kernel, 20).children) == {21}


def test_line_without_pid_does_not_belong_to_an_exiting_process() -> None:
    kernel = _after("""
vfork( <unfinished ...>
[pid 11] exit_group(0) = ?
[pid 10] <... vfork resumed>) = 11
[pid 10] wait4(-1,  <unfinished ...>
<... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 11
""")
    assert [reaped.pid for reaped in _process(kernel, 10).reaped] == [11]
    assert _process(kernel, 10).children == {}


def test_failures_are_those_of_the_program() -> None:
    kernel = _after("""
7 execve("/usr/local/bin/cat", ["cat"], 0x1 /* 2 vars */) = -1 ENOENT (No such file or directory)
7 execve("/usr/bin/cat", ["cat"], 0x1 /* 2 vars */) = 0
7 openat(AT_FDCWD, "x", O_RDONLY) = -1 EACCES (Permission denied)
""")
    assert [call.errno for call in _process(kernel, 7).failures] == ["EACCES"]


def test_socket_error_counts_as_failure() -> None:
    kernel = _after("""
7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 16) = -1 EINPROGRESS (Operation now in progress)
7 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
""")
    assert [call.errno for call in _process(kernel, 7).failures] == ["EINPROGRESS", "ECONNREFUSED"]


def test_the_death_of_a_child_shows_its_parent_where_the_fork_is_cut_off() -> None:
    kernel = _after("""
10 read(3,  <unfinished ...>
11 write(4, "42\\n", 3) = 3
11 exit_group(0) = ?
11 +++ exited with 0 +++
10 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=11, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---
""")
    assert _process(kernel, 11).parent is _process(kernel, 10)
    assert set(_process(kernel, 10).children) == {11}


def test_a_number_older_than_the_trace_is_the_same_file_in_parent_and_child() -> None:
    kernel = _after("""
10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f00) = 11
11 write(4, "42\\n", 3) = 3
10 read(5, "x", 1) = 1
11 getpid() = 11
""")
    parent, child = _process(kernel, 10).table, _process(kernel, 11).table
    assert parent.file_of(4) is child.file_of(4) is not None
    assert parent.file_of(5) is child.file_of(5) is not None


def test_a_number_that_the_parent_opened_after_the_fork_is_another_file() -> None:
    kernel = _after("""
10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f00) = 11
10 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 4
11 write(4, "42\\n", 3) = 3
11 execve("/bin/true", ["true"], 0x1 /* 0 vars */) = 0
11 read(6, "x", 1) = 1
10 read(7, "x", 1) = 1
""")
    parent, child = _process(kernel, 10).table, _process(kernel, 11).table
    assert parent.file_of(4) is not child.file_of(4) is not None
    assert parent.file_of(6) is None
    assert child.file_of(7) is None


def test_the_parent_that_is_told_of_a_child_replaces_a_guess() -> None:
    kernel = _after("""
10 execve("/bin/a", ["a"], 0x1 /* 0 vars */) = 0
10 set_robust_list(0x7f0020, 24) = 0
11 set_robust_list(0x7f0020, 24) = 0
12 set_robust_list(0x7f0020, 24) = 0
12 exit_group(0) = ?
12 +++ exited with 0 +++
11 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---
""")
    assert _process(kernel, 12).parent is _process(kernel, 11)
    assert set(_process(kernel, 10).children) == {11}
    assert set(_process(kernel, 11).children) == {12}
