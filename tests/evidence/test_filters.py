"""What a recording leaves out has not happened unseen: filters, `-Z`, `-z`, and threads that are not followed."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.evidence.filters import may_only_spin, would_show
from tracediag.trace.calls import CHILD_WAITS, READS, RECEIVES, WAITS

ACCEPTED = (
    "7 accept4(3, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = 5\n",
    "7 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}) = 0\n",
)
READY = "7 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1\n"
UNFILTERED = "7 set_robust_list(0x7f84363da20, 24) = 0\n"


@pytest.mark.parametrize(
    ("calls", "names", "expected"),
    [
        (["close"], {"read"}, False),
        (["close"], {"close"}, True),
        (READS, {"read", "epoll_wait", "epoll_ctl"}, False),  # it may be -e trace=desc, and the program uses recv
        (READS, {"read", "accept4"}, True),
        (READS, {"read", "clone"}, True),
        (READS, {"epoll_wait", "epoll_ctl", "accept4"}, False),
        (RECEIVES, {"getpeername"}, False),
        (WAITS, {"getsockopt", "connect"}, False),
        (WAITS, {"poll"}, True),
        (CHILD_WAITS, {"clone"}, False),
        (["ptrace"], {"ptrace"}, True),
        (["ptrace"], {"read"}, False),
    ],
)
def test_which_calls_would_show(calls: list[str], names: set[str], expected: bool) -> None:
    assert would_show(calls, names) is expected


def test_a_program_that_makes_hardly_any_call_spins() -> None:
    assert may_only_spin(READS, {"epoll_wait"})
    assert may_only_spin(WAITS, {"read"})
    assert not may_only_spin(["close"], {"read"})
    assert not may_only_spin(CHILD_WAITS, {"clone"})
    assert not may_only_spin(READS, {"write", "accept", "epoll_wait"})
    assert not may_only_spin(READS, ())


def test_nothing_is_left_unread_where_no_read_would_show() -> None:
    lines = (*ACCEPTED, *[READY] * 40)
    report = analyze(list(lines))
    assert not report.findings
    assert "ready-not-served-spin" in {blind.rule for blind in report.blind}
    assert analyze([UNFILTERED, *lines]).findings[0].name == "ready-not-served-spin"


FUTEX = "7 futex(0x7ff87cf30a4c, FUTEX_WAKE_PRIVATE, 2147483647) = 0\n"
PAUSE = "7 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=1000}, NULL) = 0\n"
DIED = (
    "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=%d, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---"
)


@pytest.mark.parametrize("call", [FUTEX, PAUSE])
def test_a_call_that_a_filter_names_does_not_show_that_there_is_no_filter(call: str) -> None:
    children = (f"{pid} +++ exited with 0 +++\n7 {DIED % pid}\n{call}" for pid in range(20, 40))
    lines = (call + "".join(children) + "7 +++ exited with 0 +++\n").splitlines(keepends=True)
    assert not analyze(lines).findings
    allocates = "7 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f9b7db31000\n"
    assert [finding.name for finding in analyze([allocates, *lines]).findings] == ["child-not-reaped"]


def test_a_spin_on_which_strace_is_attached_is_believed() -> None:
    assert "ready-not-served-spin" in {finding.name for finding in analyze([READY] * 300).findings}


FAILURES = (
    '7 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)\n',
    '7 readlink("/usr", 0x7ffe, 1023) = -1 EINVAL (Invalid argument)\n',
)
CONNECT = (
    '7 connect(6, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")}, 16) = -1 EINPROGRESS (x)\n',
    "7 read(6, 0x5636, 8192) = -1 EAGAIN (Resource temporarily unavailable)\n",
)


def test_where_only_failures_are_recorded_no_success_is_missed() -> None:
    assert not analyze([*FAILURES, *CONNECT]).findings
    assert analyze([*CONNECT, "7 getpid() = 7\n"]).findings[0].name == "nonblocking-connect-unchecked"


EXEC = '7 execve("/bin/x", ["x"], 0x7ffc /* 3 vars */) = 0\n'
EDGE = (
    "7 listen(3, 5) = 0\n",
    "7 epoll_create1(0) = 4\n",
    "7 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, data={u32=3, u64=3}}) = 0\n",
    *[
        line
        for number in range(5, 25)
        for line in (
            "7 epoll_wait(4, [{events=EPOLLIN, data={u32=3, u64=3}}], 8, -1) = 1\n",
            f"7 accept4(3, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = {number}\n",
            f"7 close({number}) = 0\n",
        )
    ],
)


def test_where_only_successes_are_recorded_no_failure_is_missed() -> None:
    names = {finding.name for finding in analyze([EXEC, *EDGE]).findings}
    assert "edge-triggered-accept-once" not in names
    names = {finding.name for finding in analyze([EXEC, FAILURES[0], *EDGE]).findings}
    assert "edge-triggered-accept-once" in names


CHILDREN = [
    line
    for pid in range(20, 40)
    for line in (
        f"7 clone(child_stack=NULL, flags=SIGCHLD) = {pid}\n",
        f"{pid} +++ exited with 0 +++\n",
        f"7 --- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid={pid}, si_uid=0, si_status=0}} ---\n",
    )
]


def test_children_are_not_left_unreaped_where_no_wait_would_show() -> None:
    assert not analyze(CHILDREN).findings
    assert analyze([UNFILTERED, *CHILDREN]).findings[0].name == "child-not-reaped"


def test_a_thread_that_is_not_followed_may_wait_for_the_child() -> None:
    thread = "7 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 99\n"
    assert not analyze([UNFILTERED, thread, *CHILDREN]).findings


FAULT = (
    "7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4\n",
    "7 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---\n",
)
SOCKETS = tuple(f"7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = {number}\n" for number in range(5, 60))
LATER = ("7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 60\n",)


def test_a_thread_that_keeps_running_has_not_crashed_if_the_return_of_its_handler_would_not_show() -> None:
    end = "7 +++ exited with 1 +++\n"
    assert not analyze([*SOCKETS, *FAULT, *LATER, end]).findings
    assert analyze([UNFILTERED, *SOCKETS, *FAULT, *LATER, end]).findings[0].name == "crashed"
    assert analyze([*SOCKETS, *FAULT, end]).findings[0].name == "crashed"
