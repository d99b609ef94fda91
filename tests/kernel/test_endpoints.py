"""The two ends of a socketpair, a connection and a pipe, paired; and which process closed one of them."""

from __future__ import annotations

import pytest
from recordings import family, replay, told
from test_process_table import kernel_of

from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.endpoints import Endpoints
from tracediag.kernel.process import Process
from tracediag.kernel.socket import Socket
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit

BOTH = pytest.mark.parametrize("name", ["ends", "ends.f"])
SERVER = "127.0.0.1:80"
INET = 'sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("127.0.0.1")'


def held(process: Process, number: int) -> OpenFile:
    found = process.table.get(number) or process.table.last_closed[number]
    return found.file


def socket_of(file: OpenFile) -> Socket:
    assert file.socket is not None
    return file.socket


@BOTH
def test_two_processes_hold_the_two_ends(name: str) -> None:
    parent, child = family(replay(name, "read(8"))
    for number, far in {5: 6, 6: 3, 8: 4, 7: 8}.items():  # socketpair, TCP, unix, pipe
        one, other = held(parent, number), held(child, far)
        assert (one.other, other.other) == (other, one), number


def test_without_names_the_only_candidate_is_a_guess() -> None:
    parent, _ = family(replay("ends.f", "read(8"))
    assert [socket_of(held(parent, number)).guessed for number in (5, 6, 8)] == [False, True, True]
    parent, _ = family(replay("ends", "read(8"))
    assert [socket_of(held(parent, number)).guessed for number in (5, 6, 8)] == [False, False, False]


@BOTH
def test_what_has_closed_the_other_end(name: str) -> None:
    parent, child = family(replay(name, "= -1 EPIPE"))
    local, pair = held(parent, 8), held(parent, 5)
    assert local.other is not None
    assert isinstance(local.other.closed, Syscall)
    assert (local.other.closed.pid, local.other.closed.name) == (child.pid, "close")
    assert pair.other is not None
    assert isinstance(pair.other.closed, Exit)
    assert pair.other.closed.line == told(name, "+++ exited with 3")
    assert pair.closed is None


@BOTH
def test_a_copy_in_another_process_keeps_an_end_open(name: str) -> None:
    parent, child = family(replay(name, "<... set_robust_list resumed>"))
    end = held(parent, 5)
    assert end.other is not None
    assert end.other is held(child, 6)
    assert end.other.closed is None


def test_a_child_that_is_not_followed_may_hold_the_other_end() -> None:
    kernel = kernel_of("socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0", "fork() = 9", "close(4) = 0")
    other = held(kernel.processes[0], 3).other
    assert other is not None
    assert other.closed is not None
    assert kernel.closed(other) is None


def served(*lines: str, address: str = "127.0.0.1") -> Kernel:
    return kernel_of(
        "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
        f'1 bind(3, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("{address}")}}, 16) = 0',
        "1 listen(3, 8) = 0",
        *lines,
    )


def caller(pid: int, number: int) -> tuple[str, str]:
    connect = f"connect({number}, {{{INET.format(port=80)}}}, 16) = 0"
    return f"{pid} socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = {number}", f"{pid} {connect}"


def accepted(number: int, port: int) -> str:
    return f"1 accept(3, {{{INET.format(port=port)}}}, [16]) = {number}"


def test_with_two_clients_the_accepted_one_is_unknown() -> None:
    server, client = served(*caller(2, 4), *caller(2, 5), accepted(4, 1001)).processes
    assert (held(server, 4).other, held(client, 4).other, held(client, 5).other) == (None, None, None)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_with_two_clients_the_queried_address_decides(address: str) -> None:
    asked = f"2 getsockname(5, {{{INET.format(port=1002)}}}, [16]) = 0"
    server, client = served(*caller(2, 4), *caller(2, 5), asked, accepted(4, 1002), address=address).processes
    assert held(server, 4).other is held(client, 5)
    assert not socket_of(held(client, 5)).guessed


def test_a_client_may_close_before_it_is_accepted() -> None:
    server, client = served(*caller(2, 4), "2 close(4) = 0", accepted(4, 1001)).processes
    other = held(server, 4).other
    assert other is held(client, 4)
    assert other.closed is not None


def test_a_socket_accepted_before_the_connect_is_not_its_end() -> None:
    server, client = served(accepted(4, 1001), *caller(2, 4)).processes
    assert (held(server, 4).other, held(client, 4).other) == (None, None)


def test_a_client_of_another_host_is_not_its_end() -> None:
    stranger = '1 accept(3, {sa_family=AF_INET, sin_port=htons(99), sin_addr=inet_addr("10.0.0.9")}, [16]) = 4'
    server, _ = served(*caller(2, 4), stranger, address="0.0.0.0").processes
    assert held(server, 4).other is None


def test_a_failed_connect_is_not_a_candidate() -> None:
    failed = (
        "2 socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP) = 9",
        f"2 connect(9, {{{INET.format(port=80)}}}, 16) = -1 EINPROGRESS (Operation now in progress)",
        "2 getsockopt(9, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
    )
    server, client = served(*failed, *caller(2, 4), accepted(4, 1001)).processes
    assert held(server, 4).other is held(client, 4)


def test_names_tell_more_than_a_guess() -> None:
    server, one, two = served(
        *caller(2, 4),
        "1 accept(3, NULL, NULL) = 4",
        *caller(3, 4),
        f'1 read(4<TCP:[{SERVER}->127.0.0.1:1003]>, "x", 1) = 1',
        f'3 write(4<TCP:[127.0.0.1:1003->{SERVER}]>, "x", 1) = 1',
    ).processes
    assert held(server, 4).other is held(two, 4)
    assert held(one, 4).other is None


def test_ipv4_in_ipv6_dress() -> None:
    server, client = kernel_of(
        '701 read(4<TCPv6:[[::ffff:127.0.0.1]:80->[::ffff:127.0.0.1]:1003]>, "x", 1) = 1',
        f'702 write(5<TCP:[127.0.0.1:1003->{SERVER}]>, "x", 1) = 1',
    ).processes
    assert held(server, 4).other is held(client, 5)
    assert held(server, 4).closed is None


def test_pipes_met_by_their_inode_only() -> None:
    reader, writer, third = kernel_of(
        "1 read(0<pipe:[7]>, 0x7f, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
        '2 write(1<pipe:[7]>, "x", 1) = 1',
        "3 fstat(5<pipe:[7]>, {st_mode=S_IFIFO|0600, st_size=0, ...}) = 0",
        "3 dup(5<pipe:[7]>) = 6",
    ).processes
    assert held(reader, 0).other is held(writer, 1)
    assert held(writer, 1).other is held(reader, 0)
    assert held(third, 5).other is None
    # Which other processes held it before the trace is not known.
    assert held(reader, 0).closed is None


def test_loose_ends_that_have_closed_are_dropped() -> None:
    kernel = kernel_of(
        "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
        '1 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0',
        *(
            line
            for port in range(2000, 4000)
            for line in (f"1 accept(3, NULL, NULL) = 4<TCP:[{SERVER}->127.0.0.1:{port}]>", "1 close(4) = 0")
        ),
    )
    assert size(kernel.endpoints) < 300


def size(ends: Endpoints) -> int:
    waiting = [there for place in (ends._callers, ends._answered) for there in place.values()]
    return len(ends._named) + len(ends._pipes) + sum(len(there) for there in waiting)
