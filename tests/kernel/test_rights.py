"""Descriptors that a process receives from another: in a message, or by a pidfd."""

from __future__ import annotations

import pytest
from recordings import family, replay
from test_process_table import kernel_of

from tracediag.kernel.process import Process

BOTH = pytest.mark.parametrize("name", ["rights", "rights.f"])
PAIR = "1 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0"
OPEN = '1 openat(AT_FDCWD, "/a", O_RDONLY) = 5'
FORK = "1 fork() = 2"


def flags_of(process: Process) -> dict[int, bool | None]:
    return {held.number: held.cloexec for held in process.table}


def control(*numbers: str | int) -> str:
    listed = ", ".join(map(str, numbers))
    return (
        'msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1,'
        f" msg_control=[{{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[{listed}]}}],"
        " msg_controllen=24, msg_flags=0"
    )


def old_control(*numbers: int) -> str:
    listed = ", ".join(map(str, numbers))
    return (
        'msg_name(0)=NULL, msg_iov(1)=[{"x", 1}], msg_controllen=56,'
        f" {{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, {{{listed}}}}}, msg_flags=0"
    )


@BOTH
def test_what_is_received_is_what_was_sent(name: str) -> None:
    parent, child = family(replay(name, "pidfd_open"))
    assert flags_of(child) == {4: True, 3: False, 5: True, 6: True}
    shells = parent.table.open[4].file
    assert child.table.open[3].file is shells
    assert shells.path == "/etc/shells"
    assert shells.sent is None
    assert len(shells.holders) == 2
    # The sender has closed its own pipe: only the receiver's copies remain.
    reader, writer = child.table.open[5].file, child.table.open[6].file
    assert (reader.other, writer.other) == (writer, reader)
    assert (reader.closed, reader.referred) == (None, True)


@BOTH
def test_a_descriptor_taken_by_pidfd(name: str) -> None:
    parent, child = family(replay(name, "pidfd_getfd"))
    taken = parent.table.open[6]
    assert (taken.file, taken.cloexec) == (child.table.open[4].file, True)


@pytest.mark.parametrize("form", [control, old_control])
def test_a_message_that_is_never_received(form: object) -> None:
    assert callable(form)
    (process,) = kernel_of(PAIR, OPEN, f"1 sendmsg(3, {{{form(5)}}}, 0) = 1", "1 close(5) = 0").processes
    file = process.table.last_closed[5].file
    assert file.sent is not None
    assert file.closed is None


@pytest.mark.parametrize("form", [control, old_control])
def test_messages_arrive_in_order(form: object) -> None:
    assert callable(form)
    second = '1 openat(AT_FDCWD, "/b", O_RDONLY) = 6'
    parent, child = kernel_of(
        PAIR,
        FORK,
        OPEN,
        second,
        f"1 sendmsg(3, {{{form(5)}}}, 0) = 1",
        f"1 sendmsg(3, {{{form(6)}}}, 0) = 1",
        f"2 recvmsg(4, {{{form(7)}}}, 0) = 1",
        f"2 recvmsg(4, {{{form(8)}}}, 0) = 1",
    ).processes
    assert child.table.open[7].file is parent.table.open[5].file
    assert child.table.open[8].file is parent.table.open[6].file


def test_a_message_may_be_received_before_the_send_returns() -> None:
    parent, child = kernel_of(
        PAIR,
        FORK,
        OPEN,
        f"1 sendmsg(3, {{{control(5)}}}, 0 <unfinished ...>",
        f"2 recvmsg(4, {{{control(7)}}}, 0) = 1",
        "1 <... sendmsg resumed>) = 1",
    ).processes
    assert child.table.open[7].file is parent.table.open[5].file
    assert parent.table.open[5].file.sent is None


def test_a_message_that_failed_is_none() -> None:
    parent, child = kernel_of(
        PAIR,
        FORK,
        OPEN,
        f"1 sendmsg(3, {{{control(5)}}}, 0) = -1 EAGAIN (Resource temporarily unavailable)",
        f"2 recvmsg(4, {{{control(7)}}}, 0) = 1",
    ).processes
    assert parent.table.open[5].file.sent is None
    assert child.table.open[7].file.inherited


def test_a_plain_read_may_have_thrown_a_message_away() -> None:
    _, child = kernel_of(
        PAIR,
        FORK,
        OPEN,
        f"1 sendmsg(3, {{{control(5)}}}, 0) = 1",
        '2 read(4, "x", 1) = 1',
        f"2 recvmsg(4, {{{control(7)}}}, 0) = 1",
    ).processes
    assert child.table.open[7].file.inherited


def test_between_unpaired_sockets_equal_annotations_match() -> None:
    kernel = kernel_of(
        f"1 sendmsg(3, {{{control('5</a>')}}}, 0) = 1",
        f"1 sendmsg(3, {{{control('6</b>')}}}, 0) = 1",
        f"2 recvmsg(4, {{{control('7</b>')}}}, 0) = 1",
        f"2 recvmsg(4, {{{control('8</c>')}}}, 0) = 1",
    )
    parent, child = kernel.processes
    assert child.table.open[7].file is parent.table.open[6].file
    assert (child.table.open[8].file.path, child.table.open[8].file.sent) == ("/c", None)


@pytest.mark.parametrize(("last", "left"), [("2 getpid() = 2", 1), ("2 close(7) = 0", 0)])
def test_an_epoll_registration_lives_as_long_as_the_copy(last: str, left: int) -> None:
    parent, _ = kernel_of(
        PAIR,
        FORK,
        "1 epoll_create1(0) = 9",
        "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 5",
        "1 epoll_ctl(9, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data=0x5}) = 0",
        f"1 sendmsg(3, {{{control(5)}}}, 0) = 1",
        "1 close(5) = 0",
        f"2 recvmsg(4, {{{control(7)}}}, 0) = 1",
        last,
    ).processes
    epoll = parent.table.open[9].file.epoll
    assert epoll is not None
    assert len(epoll.entries) == left
