"""The process of a line, even if the trace shows its creation late or not at all."""

from __future__ import annotations

from tracediag.kernel import Kernel, apply
from tracediag.kernel.process import Process
from tracediag.reading import read

FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0a10)"
THREAD = "clone(child_stack=0x7ff0, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD, tls=0x1)"


def kernel_of(*lines: str) -> Kernel:
    kernel = Kernel()
    for event in read([f"{line}\n" for line in lines]):
        apply(kernel, event)
    return kernel


def numbers(process: Process) -> set[int]:
    return {held.number for held in process.table}


def test_fork_copies_the_table_and_shares_the_description() -> None:
    parent, child = kernel_of('1 open("/a", O_RDONLY) = 3', f"1 {FORK} = 2", "2 close(3) = 0").processes
    assert child.parent is parent
    assert (numbers(parent), numbers(child)) == ({3}, set())


def test_a_thread_shares_the_table() -> None:
    (process,) = kernel_of('1 open("/a", O_RDONLY) = 3', f"1 {THREAD} = 2", "2 close(3) = 0").processes
    assert numbers(process) == set()
    assert {thread.tid for thread in process.threads} == {1, 2}


def test_a_childs_lines_may_come_before_its_parents_clone_returns() -> None:
    parent, child = kernel_of(
        '1 open("/a", O_RDONLY) = 3',
        f"1 {FORK.removesuffix(')')} <unfinished ...>",
        "2 close(3) = 0",
        "1 <... clone resumed>) = 2",
        "1 close(3) = 0",
    ).processes
    assert (child.pid, child.parent) == (2, parent)
    assert (numbers(parent), numbers(child)) == (set(), set())


def test_a_close_under_way_frees_the_number_for_another_thread() -> None:
    (process,) = kernel_of(
        '1 open("/a", O_RDONLY) = 3',
        f"1 {THREAD} = 2",
        "1 close(3 <unfinished ...>",
        '2 open("/b", O_RDONLY) = 3',
        "1 <... close resumed>) = 0",
    ).processes
    (held,) = process.table
    assert (held.number, held.file.path) == (3, "/b")


def test_exec_closes_what_is_cloexec_and_resets_handlers() -> None:
    (process,) = kernel_of(
        '1 open("/a", O_RDONLY|O_CLOEXEC) = 3',
        '1 open("/b", O_RDONLY) = 4',
        "1 rt_sigaction(SIGPIPE, {sa_handler=0x55, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "1 rt_sigaction(SIGHUP, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        '1 execve("/bin/x", ["x"], 0x7ffe /* 3 vars */) = 0',
    ).processes
    assert numbers(process) == {4}
    assert (process.signals.get("SIGPIPE"), process.signals.get("SIGHUP")) == ("default", "ignored")
    assert process.program == "/bin/x"


def test_on_a_terminal_the_first_process_has_no_pid_until_there_are_two() -> None:
    parent, child = kernel_of(
        'open("/a", O_RDONLY) = 3',
        f"{FORK} = 8",
        "[pid 7] close(3) = 0",
        "[pid 8] close(3) = 0",
        "[pid 8] +++ exited with 0 +++",
        'open("/b", O_RDONLY) = 5',
    ).processes
    assert (parent.pid, child.pid) == (7, 8)
    assert (numbers(parent), child.exit is not None) == ({5}, True)


def test_a_pid_that_is_handed_out_again_is_another_process() -> None:
    first, second, third = kernel_of(
        f"1 {FORK} = 2", '2 open("/a", O_RDONLY) = 3', "2 +++ exited with 0 +++", f"1 {FORK} = 2", "2 getpid() = 2"
    ).processes
    assert (first.pid, second.pid, third.pid) == (1, 2, 2)
    assert (numbers(second), numbers(third)) == (set(), set())


def test_a_child_that_strace_did_not_follow_keeps_nothing_alive() -> None:
    kernel = kernel_of(
        "epoll_create1(0) = 4",
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 5",
        "epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data=0x5}) = 0",
        f"{FORK} = 8",
        "close(5) = 0",
    )
    epoll = kernel.processes[0].table.open[4].file.epoll
    assert epoll is not None
    assert epoll.entries == {}


def test_a_child_is_reaped_with_its_status() -> None:
    parent, child = kernel_of(
        f"1 {FORK} = 2", "2 +++ exited with 3 +++", "1 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 2"
    ).processes
    (reaped,) = parent.reaped
    assert (reaped.pid, reaped.child, reaped.status, reaped.signal, parent.children) == (2, child, 3, None, {})


def test_a_child_killed_by_a_signal() -> None:
    parent, _ = kernel_of(
        f"1 {FORK} = 2",
        "2 +++ killed by SIGKILL +++",
        "1 waitid(P_ALL, 0, {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=2, si_uid=0, si_status=SIGKILL, si_utime=0},"
        " WEXITED, NULL) = 0",
    ).processes
    assert [(reaped.status, reaped.signal) for reaped in parent.reaped] == [(None, "SIGKILL")]


def test_a_stopped_child_is_still_a_child() -> None:
    parent, child = kernel_of(
        f"1 {FORK} = 2",
        "2 getpid() = 2",
        "1 wait4(2, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTTIN}], WUNTRACED, NULL) = 2",
    ).processes
    assert (list(parent.reaped), parent.children) == ([], {2: child})


def test_limits_are_those_seen_last_and_pass_to_children() -> None:
    parent, child = kernel_of(
        "1 prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1024, rlim_max=4*1024}) = 0",
        "1 prlimit64(0, RLIMIT_NOFILE, {rlim_cur=512, rlim_max=RLIM64_INFINITY}, NULL) = 0",
        f"1 {FORK} = 2",
        "2 getpid() = 2",
    ).processes
    limit = parent.limits["RLIMIT_NOFILE"]
    assert (limit.soft, limit.hard, child.limits) == (512, None, parent.limits)


def test_failures_messages_and_signals_are_remembered() -> None:
    kernel = kernel_of(
        '1 open("/a", O_RDONLY) = -1 ENOENT (No such file or directory)',
        "1 read(0, 0x7f, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
        '1 write(2, "no /a\\n", 6) = 6',
        "1 kill(2, SIGTERM) = 0",
    )
    (process,) = kernel.processes
    assert [call.errno for call in process.failures] == ["ENOENT"]
    assert [call.line for call in process.messages] == [3]
    assert [(sender, call.line) for sender, call in kernel.sent] == [(process, 4)]


def test_a_line_after_the_end_of_all_is_of_no_new_process() -> None:
    start = ["1 getpid() = 1", f"1 {FORK} = 2", "2 +++ exited with 0 +++", "1 +++ exited with 0 +++"]
    for line in (
        " > /srv/net(main+0x1e) [0x1397]",
        "",
        "Segmentation fault",
        "cat: /a: No such file or directory",
        "?!",
    ):
        assert [process.pid for process in kernel_of(*start, line).processes] == [1, 2]
