"""Where rules about epoll sets begin and end: the same few calls, one of them changed."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding


def _findings(name: str, trace: str) -> list[Finding]:
    lines = [f"{line.strip()}\n" for line in trace.strip().splitlines()]
    return [finding for finding in analyze(lines).findings if finding.name == name]


def _grades(name: str, trace: str) -> list[str]:
    return [f"{finding.severity} {finding.confidence}" for finding in _findings(name, trace)]


FIRED = """
1 accept4(3, NULL, NULL, SOCK_NONBLOCK) = 5
1 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLONESHOT, data={u32=5, u64=5}}) = 0
1 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1
"""
AGAIN = """
1 epoll_wait(4, <unfinished ...>
"""


@pytest.mark.parametrize(
    ("handled", "told"),
    [
        ("", ["error certain"]),
        ('1 recvfrom(5, "x", 64, 0, NULL, NULL) = 1', ["warning likely"]),
        ('1 recvfrom(5, "xxxx", 4, 0, NULL, NULL) = 4', ["error likely"]),
        (
            "1 recvfrom(5, 0x7ffd1000, 64, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
            ["warning likely"],
        ),
        ('1 recvfrom(5, "", 64, 0, NULL, NULL) = 0', []),
        ("1 close(5) = 0", []),
        ("1 epoll_ctl(4, EPOLL_CTL_DEL, 5, NULL) = 0", []),
        ("1 epoll_ctl(4, EPOLL_CTL_MOD, 5, {events=EPOLLIN|EPOLLONESHOT, data={u32=5, u64=5}}) = 0", []),
        ("1 epoll_ctl(9, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}) = 0", []),
        ("...", []),
        ('1 connect(7, {sa_family=AF_UNIX, sun_path="/db"}, 6) = 0\n1 recvfrom(5, "x", 64, 0, NULL, NULL) = 1', []),
    ],
)
def test_what_was_done_about_a_one_shot_event(handled: str, told: list[str]) -> None:
    assert _grades("oneshot-not-rearmed", FIRED + handled + AGAIN) == told


def test_a_one_shot_event_before_the_next_wait() -> None:
    assert _grades("oneshot-not-rearmed", FIRED) == []


def test_a_runtime_that_arms_only_for_a_waiting_task() -> None:
    first = "1 recvfrom(5, 0x7ffd1000, 64, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)"
    accepted, *rest = FIRED.strip().splitlines()
    read = '1 recvfrom(5, "x", 64, 0, NULL, NULL) = 1'
    assert _grades("oneshot-not-rearmed", "\n".join([accepted, first, *rest, read]) + AGAIN) == []


def test_a_one_shot_event_that_another_thread_still_handles() -> None:
    worker = "1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, stack=0x7f}, 88) = 2\n2 getrandom(NULL, 0, 0) = 0\n"
    assert _grades("oneshot-not-rearmed", worker + FIRED + AGAIN) == []
    assert _grades(
        "oneshot-not-rearmed", worker + FIRED + AGAIN + "2 futex(0x7f00, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>"
    )


WOKEN = "{pid} epoll_wait(4, [{{events=EPOLLIN, data={{u32=3, u64=3}}}}], 1, -1) = 1\n"
VAIN = "{pid} accept4(3, NULL, NULL, SOCK_CLOEXEC) = -1 EAGAIN (Resource temporarily unavailable)\n"
GAIN = "{pid} accept4(3, NULL, NULL, SOCK_CLOEXEC) = 5\n{pid} close(5) = 0\n"


def test_useless_wakeups_of_a_single_worker() -> None:
    vain = (WOKEN + VAIN).format(pid=1)
    assert _grades("thundering-herd", vain) == ["warning possible"]
    assert _grades("thundering-herd", vain * 3) == ["warning likely"]
    assert _grades("thundering-herd", vain * 40) == ["warning likely"]


def test_wakeups_that_bring_a_connection_as_often_as_not() -> None:
    busy = (WOKEN + VAIN + WOKEN + GAIN).format(pid=1)
    assert _grades("thundering-herd", busy * 20) == []


def test_accepting_until_eagain() -> None:
    assert _grades("thundering-herd", (WOKEN + GAIN + VAIN).format(pid=1) * 20) == []


def test_exclusive_wakeups_are_not_counted() -> None:
    exclusive = "1 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLEXCLUSIVE, data={u32=3, u64=3}}) = 0\n"
    assert _grades("thundering-herd", exclusive + (WOKEN + VAIN).format(pid=1) * 20) == []


def test_accepting_without_a_wakeup() -> None:
    assert _grades("thundering-herd", VAIN.format(pid=1) * 20) == []


BATCH = """
1 epoll_ctl(3, EPOLL_CTL_ADD, 4, {EPOLLIN, {u32=64, u64=94576324595040}}) = 0
1 epoll_ctl(3, EPOLL_CTL_ADD, 6, {EPOLLIN, {u32=80, u64=94576324595056}}) = 0
1 epoll_wait(3, [{EPOLLIN, {u32=64, u64=94576324595040}}, {EPOLLIN, {u32=80, u64=94576324595056}}], 8, -1) = 2
"""
READ, CLOSE_OTHER, CLOSE_OWN = '1 read(4, "", 64) = 0\n', "1 close(6) = 0\n", "1 close(4) = 0\n"
STALE = "1 read(6, 0x7ffd1000, 64) = -1 EBADF (Bad file descriptor)\n"


@pytest.mark.parametrize(
    ("handled", "told"),
    [
        (READ + CLOSE_OTHER + CLOSE_OWN + STALE, ["error certain"]),
        (READ + CLOSE_OWN + CLOSE_OTHER + STALE, ["error likely"]),
        (READ + CLOSE_OTHER + CLOSE_OWN, []),
        (READ + CLOSE_OTHER + CLOSE_OWN + "1 epoll_wait(3, [], 8, 50) = 0\n" + STALE, []),
        (READ + CLOSE_OTHER + CLOSE_OWN + "1 close(6) = -1 EBADF (Bad file descriptor)\n", []),
        (READ + '1 read(6, "x", 64) = 1\n' + CLOSE_OTHER + STALE, []),
        (CLOSE_OTHER + STALE, []),
        (
            READ + CLOSE_OTHER + CLOSE_OWN + "1 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---",
            ["error likely"],
        ),
    ],
)
def test_what_becomes_of_a_stale_event(handled: str, told: list[str]) -> None:
    assert _grades("event-after-close", BATCH + handled) == told


FORKED = """
1 epoll_create1(0) = 4
1 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0
1 fork() = 2
2 getpid() = 2
"""
REMOVED = "2 epoll_ctl(4, EPOLL_CTL_DEL, 3, NULL) = 0\n"
ADDED = "2 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0\n"
OWN = "2 accept4(3, NULL, NULL, 0) = 5\n2 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}) = 0\n"
WAITS = "1 epoll_wait(4, <unfinished ...>\n"
STRAY = "1 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 1, -1) = 1\n"


@pytest.mark.parametrize(
    ("followed", "told"),
    [
        (REMOVED + WAITS, ["error certain"]),
        (WAITS + REMOVED, ["error certain"]),
        (REMOVED + ADDED + WAITS, []),
        (REMOVED, []),
        (REMOVED + "1 close(3) = 0\n" + WAITS, []),
        ("2 close(3) = 0\n2 close(4) = 0\n" + WAITS, []),
        ("1 exit_group(0) = ?\n1 +++ exited with 0 +++\n" + REMOVED + "2 epoll_wait(4, <unfinished ...>\n", []),
        (OWN + WAITS, ["warning likely"]),
        (OWN + STRAY, ["error certain"]),
        ("2 close(4) = 0\n2 epoll_create1(0) = 4\n" + OWN + WAITS, []),
    ],
)
def test_what_is_done_to_a_set_after_a_fork(followed: str, told: list[str]) -> None:
    assert _grades("epoll-set-shared-after-fork", FORKED + followed) == told


WATCHED = """
1 dup(3) = 5
1 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0
1 close(3) = 0
"""


@pytest.mark.parametrize(
    ("after", "title"),
    [
        ("", "fd 3 was closed without EPOLL_CTL_DEL while a copy stays open"),
        (
            "1 epoll_ctl(4, EPOLL_CTL_DEL, 3, NULL) = -1 EBADF (Bad file descriptor)",
            "fd 3 stays in the epoll set after close: EPOLL_CTL_DEL comes too late",
        ),
        (
            "1 epoll_wait(4, [{events=EPOLLIN, data={u32=3, u64=3}}], 8, -1) = 1\n" * 2,
            "the epoll set keeps reporting fd 3 after close",
        ),
    ],
)
def test_a_title_says_only_what_the_trace_shows(after: str, title: str) -> None:
    assert [finding.title for finding in _findings("stale-epoll-registration", WATCHED + after)] == [title]


@pytest.mark.parametrize(
    ("wait", "timeout"),
    [
        ("poll([{fd=3, events=POLLIN}], 1, 0)", "-1"),
        ("epoll_wait(3, [], 8, 0)", "-1"),
        ("pselect6(4, [3], NULL, NULL, {tv_sec=0, tv_nsec=0}, NULL)", "NULL"),
        ("ppoll([{fd=3, events=POLLIN}], 1, {tv_sec=0, tv_nsec=0}, NULL, 8)", "NULL"),
    ],
)
def test_a_busy_wait_is_given_the_timeout_of_its_call(wait: str, timeout: str) -> None:
    (finding,) = _findings("zero-timeout-polling", f"{wait} = 0\n" * 5)
    assert finding.fix.startswith(f"pass {wait.partition('(')[0]} a timeout: {timeout} if")


def test_a_close_in_a_child_does_not_end_a_busy_loop_of_accept() -> None:
    wakeup = """
    7 epoll_wait(4, [{events=EPOLLIN, data={u32=3, u64=3}}], 8, -1) = 1
    7 accept(3, NULL, NULL) = -1 EMFILE (Too many open files)
    """
    trace = f"""
    7 execve("/usr/bin/server", ["server"], 0x7ffe /* 3 vars */) = 0
    7 socket(AF_INET, SOCK_STREAM, 0) = 3
    7 listen(3, 5) = 0
    7 epoll_create1(0) = 4
    7 epoll_ctl(4, EPOLL_CTL_ADD, 3, {{events=EPOLLIN, data={{u32=3, u64=3}}}}) = 0
    7 fork() = 8
    {wakeup * 6}
    8 close(3) = 0
    {wakeup * 6}
    """
    (spin,) = _findings("accept-emfile-spin", "\n".join(line for line in trace.splitlines() if line.strip()))
    assert (spin.count, spin.steps[-1].repeats) == (1, 11)


EDGE = """
1 epoll_create1(0) = 4
1 accept4(3, NULL, NULL, SOCK_NONBLOCK) = 5
1 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLET, data={u32=5, u64=5}}) = 0
1 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1
1 recvfrom(5, "xxxx", 4, 0, NULL, NULL) = 4
"""


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("1 epoll_wait(4, [], 8, 50) = 0", ["error likely"]),
        ("1 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1", ["error likely"]),
        (
            """1 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1
            1 recvfrom(5, "xx", 4, 0, NULL, NULL) = 2""",
            ["note likely"],
        ),
        (
            """1 epoll_wait(4, [{events=EPOLLIN|EPOLLRDHUP, data={u32=5, u64=5}}], 8, -1) = 1
            1 recvfrom(5, "xx", 4, 0, NULL, NULL) = 2""",
            ["error likely"],
        ),
    ],
)
def test_what_came_after_a_full_buffer(then: str, told: list[str]) -> None:
    for end in ("1 close(5) = 0", "1 epoll_wait(4, <unfinished ...>"):
        assert _grades("edge-triggered-not-drained", f"{EDGE}{then}\n{end}") == told
