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
