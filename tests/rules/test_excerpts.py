"""What is pasted into a question: a few lines, without pids and times, of old versions, with lines left out."""

from __future__ import annotations

import pytest

from tracediag.api import analyze

ONE_TURN = """
epoll_wait(4, {{EPOLLIN, {u32=5, u64=5}}}, 64, -1) = 1
read(5, "", 4096) = 0
"""
HANGUP = "epoll_wait(3, {{EPOLLERR|EPOLLHUP, {u32=7, u64=7}}}, 128, 500) = 1\n"
POLLED_ONCE = """
poll([{fd=8, events=POLLIN|POLLHUP}], 1, -1) = 1 ([{fd=8, revents=POLLIN|POLLHUP}])
poll([{fd=5, events=POLLIN}], 1, -1) = 1 ([{fd=5, revents=POLLIN}])
"""
REPORTED_CLOSED = """
close(7) = 0
epoll_wait(4, {{EPOLLIN, {u32=7, u64=7}}}, 64, -1) = 1
read(7, 0x7ffe, 64) = -1 EBADF (Bad file descriptor)
"""
BROKEN = "epoll_wait(5, [{EPOLLOUT|EPOLLERR|EPOLLHUP, {u32=9, u64=9}}], 64, -1) = 1\n"
REFUSED = 'write(9, "x", 1) = -1 EPIPE (Broken pipe)\n'
STILL_THERE = [
    "epipe-still-registered likely",
    "use-after-reset likely",
    "write-after-peer-closed likely",
]
LOOKED_IN_PASSING = """
recv(5, 0x7ffe, 64, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)
read(6, "x", 64) = 1
"""
NOT_THERE = 'newfstatat(3, "{}", 0x7ffe, 0) = -1 ENOENT (No such file or directory)\n'


@pytest.mark.parametrize(
    ("excerpt", "told"),
    [
        (ONE_TURN + "...", ["eof-ignored-spin possible"]),
        (ONE_TURN + "[... and so on ...]", ["eof-ignored-spin possible"]),
        (ONE_TURN + "...\nclose(5) = 0", []),
        (ONE_TURN + "epoll_ctl(4, EPOLL_CTL_DEL, 5, NULL) = 0", []),
        (HANGUP * 2, ["hangup-ignored-spin possible"]),
        (HANGUP + "close(12) = 0\n" + HANGUP + "close(12) = 0\n", []),
        (POLLED_ONCE, []),
        ("select(4, [3], NULL, NULL, {0, 0}) = 0 (Timeout)\n" * 3, ["zero-timeout-polling possible"]),
        (LOOKED_IN_PASSING * 3, []),
        ("".join(NOT_THERE.format(name) for name in "abcd"), []),
        (REPORTED_CLOSED, ["stale-epoll-registration likely", "use-after-close certain"]),
        (f"{BROKEN}{REFUSED}{BROKEN}{REFUSED}{BROKEN}", STILL_THERE),
        ('write(4</srv/app.log (deleted)>, "line", 4) = 4', ["deleted-file-kept-open likely"]),
    ],
)
def test_what_is_said_of_a_few_lines(excerpt: str, told: list[str]) -> None:
    lines = [f"{line}\n" for line in excerpt.strip().splitlines()]
    assert [f"{finding.name} {finding.confidence}" for finding in analyze(lines).findings] == told


RESET = """
sendto(37<TCP:[10.0.0.1:80->10.0.0.2:4001]>, "first part", 997, MSG_NOSIGNAL, NULL, 0) = -1 EPIPE (Broken pipe)
close(37<TCP:[10.0.0.1:80->10.0.0.2:4001]>) = 0
getsockopt(38<TCP:[274175]>, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0
close(38<TCP:[274175]>) = 0
"""
SHORT = """
accept4(7, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = 8
sendto(8, "251   ", 8408500, MSG_NOSIGNAL, NULL, 0) = 3596288
getsockopt(8, SOL_SOCKET, SO_ERROR, [{}], [4]) = 0
close(8) = 0
"""


def test_a_server_that_survives_one_lost_client_survives_the_next() -> None:
    first, second = RESET.splitlines()[1:3], RESET.splitlines()[3:]
    assert names([*first, *second]) == ["write-after-peer-closed"]
    assert "failed-call" in names(second)


def test_a_peer_that_is_gone_excuses_a_short_send() -> None:
    assert "short-send-lost" not in names(SHORT.format("ECONNRESET").splitlines())
    assert names(SHORT.format("0").splitlines()) == ["short-send-lost"]


def test_a_program_that_opens_another_file_does_without_a_library() -> None:
    places = ("/lib/tls", "/lib", "/usr/lib")
    search = [
        f'openat(AT_FDCWD, "{place}/libnss_db.so.2", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)'
        for place in places
    ]
    assert names(search) == ["shared-library-missing"]
    assert "shared-library-missing" not in names(
        [*search, 'openat(AT_FDCWD, "/etc/services", O_RDONLY|O_CLOEXEC) = 14']
    )


ASKED = """
40 accept4(3, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = 8
40 epoll_ctl(4, EPOLL_CTL_ADD, 8, {events=EPOLLIN, data={u32=8, u64=8}}) = 0
41 sendto(3, "hello\\n", 6, MSG_NOSIGNAL, NULL, 0) = 6
40 epoll_wait(4,  <unfinished ...>
41 recvfrom(3,  <unfinished ...>
"""
TAKEN = """
40 <... epoll_wait resumed>[{events=EPOLLIN, data={u32=8, u64=8}}], 1, 100) = 1
40 recvfrom(8, "hello\\n", 64, 0, NULL, NULL) = 6
40 epoll_wait(4,  <unfinished ...>
"""
SERVED = """
40 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
40 bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
40 listen(3, 8) = 0
41 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
41 connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
"""


def test_a_request_that_the_next_line_may_report_is_not_unanswered() -> None:
    assert "peer-not-responding" not in names((SERVED + ASKED).splitlines())
    assert "peer-not-responding" in names((SERVED + ASKED + TAKEN).splitlines())


def test_a_turn_cut_by_the_end_of_the_lines_begins_no_spin_after_other_work() -> None:
    work = 'epoll_wait(4, {{EPOLLIN, {u32=6, u64=6}}}, 64, -1) = 1\nread(6, "x", 64) = 1\n'
    assert names((work + ONE_TURN).splitlines()) == []
    assert names((work + ONE_TURN + "...").splitlines()) == ["eof-ignored-spin"]


def test_a_read_that_finds_nothing_hands_out_no_lines() -> None:
    turn = "poll([{fd=3, events=POLLIN|POLLERR}], 1, 19) = 1 ([{fd=3, revents=POLLERR}])"
    look = "recvmsg(3, {msg_namelen=128}, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)"
    assert names([look, turn] * 6 + [look]) == ["hangup-ignored-spin"]


def test_sigkill_in_lines_without_a_call() -> None:
    killed = "[pid 12] +++ killed by SIGKILL +++"
    ends = [
        analyze([f"{killed}\n", f"[pid 11] +++ {end} +++\n"]).findings for end in ("killed by SIGKILL", "exited with 0")
    ]
    assert [str(found[0].severity) for found in ends] == ["error", "note"]


def names(lines: list[str]) -> list[str]:
    return [finding.name for finding in analyze([f"{line}\n" for line in lines if line]).findings]
