"""Servers that work: what a filter, an attached strace or a part of a recording shows of them is no fault."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.grades import Severity

LOADED = 'execve("/usr/sbin/server", ["server"], 0x7ffd1 /* 2 vars */) = 0\n'


def _grades(name: str, trace: str) -> list[Severity]:
    lines = [f"{line.strip()}\n" for line in trace.strip().splitlines()]
    return [finding.severity for finding in analyze(lines).findings if finding.name == name]


BROKER = """
100 epoll_wait(5, [{events=EPOLLIN, data={u32=40832, u64=94811191319392}}], 1000, 100) = 1
100 read(7, "# /etc/hosts.allow", 4096) = 411
100 close(7) = 0
100 epoll_wait(5, [{events=EPOLLIN, data={u32=40832, u64=94811191319392}}], 1000, 100) = 1
100 read(8, "# /etc/hosts.allow", 4096) = 411
100 close(8) = 0
100 epoll_wait(5, [], 1000, 100) = 0
100 +++ exited with 0 +++
"""


def test_events_after_a_close_prove_nothing_where_epoll_ctl_is_not_recorded() -> None:
    assert _grades("stale-epoll-registration", BROKER) == []


FORKED = """
100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 101
101 epoll_ctl(9, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0
100 close(3) = 0
101 close(3) = 0
101 exit_group(0) = ?
101 +++ exited with 0 +++
100 exit_group(0) = ?
100 +++ exited with 0 +++
"""


def test_what_a_child_is_found_to_have_inherited_has_one_descriptor() -> None:
    assert _grades("stale-epoll-registration", FORKED) == []


@pytest.mark.parametrize(("removed", "severity"), [("", Severity.WARNING), ('unlink("/tmp/.Sem") = 0', Severity.NOTE)])
def test_a_file_without_a_name_is_not_left_incomplete(removed: str, severity: Severity) -> None:
    trace = f"""{LOADED}
    openat(AT_FDCWD, "/tmp/.Sem", O_RDWR|O_CREAT|O_EXCL, 0600) = 3
    {removed}
    pselect6(5, [4], [], NULL, {{tv_sec=1, tv_nsec=0}}, NULL) = ? ERESTARTNOHAND (To be restarted if no handler)
    --- SIGTERM {{si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0}} ---
    +++ killed by SIGTERM +++
    """
    assert _grades("killed-from-outside", trace.replace("\n    \n", "\n")) == [severity]


HANDLED = (
    "101 rt_sigaction(SIGTERM, {sa_handler=0x55, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f}, NULL, 8) = 0"
)
RESET = "101 rt_sigaction(SIGTERM, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0"
RETURNED = "101 rt_sigreturn({mask=[]}) = 202"
GOES_ON = "101 accept(9,  <unfinished ...>"


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("", "", False),
        ("", GOES_ON, True),
        (HANDLED, "", False),
        (HANDLED, RESET, False),
        (HANDLED, f"{RETURNED}\n{GOES_ON}", True),
    ],
)
def test_a_worker_that_is_killed_while_it_ends_does_not_ignore_the_request(
    before: str, after: str, *, found: bool
) -> None:
    trace = f"""100 {LOADED}
    100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 101
    {before}
    101 accept(9, 0x7fff, [112]) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
    100 kill(101, SIGTERM) = 0
    101 --- SIGTERM {{si_signo=SIGTERM, si_code=SI_USER, si_pid=100, si_uid=0}} ---
    {after}
    100 kill(101, SIGKILL) = 0
    101 +++ killed by SIGKILL +++
    100 --- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=101, si_uid=33, si_status=SIGKILL}} ---
    100 +++ exited with 0 +++
    """
    lines = "\n".join(line for line in trace.splitlines() if line.strip())
    assert bool(_grades("termination-ignored", lines)) is found


IDLE = """
202 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD, stack=0x7f}, 88) = 203
202 futex(0x7f4e99416634, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>
203 futex(0x7f4e99416700, FUTEX_WAIT_PRIVATE, 0, NULL <detached ...>
"""


@pytest.mark.parametrize(
    ("main", "found"),
    [
        ("200 epoll_wait(5,  <unfinished ...>", False),
        ("200 futex(0x7f4e99416800, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>", True),
    ],
)
def test_idle_threads_may_be_woken_by_one_that_is_not_known_to_be_of_the_same_process(
    main: str, *, found: bool
) -> None:
    assert bool(_grades("lock-never-released", f"{main}\n{IDLE.strip()}")) is found


def _connections(between: str) -> str:
    turns = "".join(
        f"100 {5 + turn}.000000 accept(3, NULL, NULL) = 4 <0.000020>\n"
        f'100 {5 + turn}.100000 read(4, "GET /", 64) = 5 <0.000020>\n{between.format(at=5 + turn)}'
        f"100 {5 + turn}.300000 close(4) = 0 <0.000020>\n"
        for turn in range(8)
    )
    start = f"100 1.000000 {LOADED.strip()} <0.001>\n100 2.000000 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.000020>\n"
    waits = "100 3.000000 poll([{fd=3, events=POLLIN}], 1, 10) = 0 (Timeout) <0.010000>\n"
    return f"{start}100 3.000000 listen(3, 5) = 0 <0.000020>\n{waits}{turns}100 20.000000 +++ exited with 0 +++\n"


def test_a_client_that_calls_again_when_it_is_answered_fills_no_queue() -> None:
    assert _grades("backlog-too-small", _connections("")) == [Severity.WARNING]
    assert _grades("backlog-too-small", _connections('100 {at}.200000 write(4, "200 OK", 6) = 6 <0.000020>\n')) == []


def _pool(before: str) -> str:
    return f"""
    300 1.000000 openat(AT_FDCWD, "/run/inet.25", O_RDWR) = 8
    301 1.000000 openat(AT_FDCWD, "/run/inet.25", O_RDWR) = 8
    {before}
    300 2.200000 flock(8, LOCK_EX) = 0
    300 2.300000 epoll_wait(9,  <unfinished ...>
    301 2.400000 flock(8, LOCK_EX <unfinished ...>
    302 8.000000 getpid() = 302
    """


def test_idle_workers_that_take_turns_to_wait_for_clients() -> None:
    turn = "300 2.000000 flock(8, LOCK_EX) = 0\n300 2.100000 flock(8, LOCK_UN) = 0"
    assert _grades("file-lock-wait", _pool(turn)) == [Severity.NOTE]
    assert _grades("file-lock-wait", _pool("300 2.000000 getpid() = 300")) != [Severity.NOTE]


def test_a_closed_descriptor_marked_by_minus_one_in_a_program_that_ends_well() -> None:
    used = "100 read(-1, 0x7ffd53ea007f, 1) = -1 EBADF (Bad file descriptor)"
    assert _grades("failed-open-not-checked", f"{used}\n100 +++ exited with 0 +++") == [Severity.NOTE]
    assert _grades("failed-open-not-checked", used) == [Severity.WARNING]


THREAD = "clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD, stack=0x7f}, 88) = 501\n"
VAIN = """epoll_wait(3, [{events=EPOLLIN, data={u32=4, u64=4}}], 200, 1001) = 1
accept4(4, 0x55ae, [128], SOCK_NONBLOCK) = -1 EAGAIN (Resource temporarily unavailable)
"""


@pytest.mark.parametrize(("turns", "severity"), [(5, Severity.NOTE), (12, Severity.WARNING)])
def test_what_threads_accept_that_are_not_followed_is_not_known(turns: int, severity: Severity) -> None:
    added = "epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=4, u64=4}}) = 0\n"
    assert _grades("thundering-herd", LOADED + THREAD + added + VAIN * turns) == [severity]


def test_an_error_of_a_connection_is_not_that_of_an_earlier_one_with_the_same_number() -> None:
    trace = f"""100 {LOADED}
    100 socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0) = 10
    100 connect(10, {{sa_family=AF_UNIX, sun_path="/dev/log"}}, 110) = -1 ENOENT (No such file or directory)
    100 close(10) = 0
    100 accept4(8, NULL, NULL, SOCK_CLOEXEC) = 10
    100 getsockopt(10, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0
    100 write(2, "Connection reset by peer\\n", 25) = 25
    100 exit_group(1) = ?
    100 +++ exited with 1 +++
    """
    lines = [f"{line.strip()}\n" for line in trace.splitlines() if line.strip()]
    titles = [finding.title for finding in analyze(lines).findings]
    assert any("ECONNRESET" in title for title in titles)
    assert not any("/dev/log" in title for title in titles)


def test_a_runtime_that_tries_to_poll_each_file_does_not_end_because_of_that() -> None:
    refused = "epoll_ctl(3, EPOLL_CTL_ADD, 8, {events=EPOLLIN, data={u32=1, u64=1}}) = -1 EPERM (Not permitted)"
    trace = f"""101 {refused}
    100 sched_getaffinity(0, 8, 0x7ffd) = -1 EINVAL (Invalid argument)
    101 futex(0xeee108, FUTEX_WAIT_PRIVATE, 0, NULL) = -1 EAGAIN (Resource temporarily unavailable)
    101 +++ exited with 1 +++
    100 +++ exited with 1 +++
    """
    lines = [f"{line.strip()}\n" for line in trace.splitlines() if line.strip()]
    assert not any("epoll_ctl" in found.title for found in analyze(lines).findings if found.severity is Severity.ERROR)


REFUSED = "epoll_ctl(3, EPOLL_CTL_ADD, 8, {events=EPOLLIN, data={u32=1, u64=1}}) = -1 EPERM (Operation not permitted)"


@pytest.mark.parametrize(
    ("then", "severities"),
    [
        ("", [Severity.NOTE]),
        ("close(8) = 0", []),
        ('read(8, "x", 64) = 1', []),
        ("exit_group(0) = ?", [Severity.NOTE]),
    ],
)
def test_a_file_that_no_set_can_watch_and_that_is_served_directly(then: str, severities: list[Severity]) -> None:
    trace = f'{LOADED}openat(AT_FDCWD, "/srv/x", O_RDONLY) = 8\n{REFUSED}\n{then}'
    exited = "\n+++ exited with 0 +++" if then.startswith("exit") else ""
    assert _grades("epoll-ctl-misuse", trace + exited) == severities


def test_an_orderly_stop_needs_no_cure() -> None:
    signal = "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0} ---"
    lines = [LOADED, "pause() = ? ERESTARTNOHAND (To be restarted)\n", f"{signal}\n", "+++ killed by SIGTERM +++\n"]
    (found,) = analyze(lines).findings
    assert (found.severity, found.fix.partition(";")[0]) == (Severity.NOTE, "none needed if this was intended")


def test_a_web_server_looks_for_a_file_of_rules_in_each_folder() -> None:
    folders = ["", "/srv", "/srv/www", "/srv/www/big.txt"]
    missing = "= -1 ENOENT (No such file or directory)"
    lines = [f'9 openat(AT_FDCWD, "{folder}/.htaccess", O_RDONLY|O_CLOEXEC) {missing}\n' for folder in folders]
    assert analyze(['9 read(11, "GET /big.txt", 8000) = 12\n', *lines, "9 close(11) = 0\n"]).findings == ()
