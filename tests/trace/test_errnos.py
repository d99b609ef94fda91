"""Errors by number and name, and the pending error of a socket."""

import errno
import os
import platform
import sys

import pytest
from tracedcalls import call

from tracediag.trace.errnos import all_errors, errno_name, find_errno, socket_error

KERNEL_ONLY = [number for number in range(512, 532) if number != 520]


def test_numbers_and_names_are_unique():
    assert len({error.number for error in all_errors()}) == len(all_errors()) == 131 + len(KERNEL_ONLY)
    assert len({error.name for error in all_errors()}) == len(all_errors())
    assert all(error.text and error.name.startswith("E") for error in all_errors())


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="other numbers")
def test_the_numbers_are_those_of_this_machine():
    for number, name in errno.errorcode.items():
        assert find_errno(name).number == number
        assert find_errno(number).number == number


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the texts are those of glibc")
def test_the_texts_are_those_of_libc():
    for error in all_errors():
        if error.number < 512:
            assert os.strerror(error.number) == error.text


def test_the_kernel_s_own_errors():
    assert [error.number for error in all_errors() if error.number >= 512] == KERNEL_ONLY
    assert find_errno("ERESTARTSYS") == (512, "ERESTARTSYS", "To be restarted if SA_RESTART is set")
    assert errno_name(516) == "ERESTART_RESTARTBLOCK"
    assert find_errno(524).name == "ENOTSUPP"


def test_other_names_and_no_names():
    assert find_errno("EWOULDBLOCK") == find_errno("EAGAIN") == find_errno(11)
    assert find_errno("ENOTSUP").name == "EOPNOTSUPP"
    assert find_errno("EDEADLOCK").name == "EDEADLK"
    assert find_errno("EMYOWN") is None
    assert find_errno(4000) is None
    assert errno_name(4000) == "errno 4000"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0", "ECONNREFUSED"),
        ("getsockopt(3<TCP:[122561]>, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0", "ECONNREFUSED"),
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, [111], [4]) = 0", "ECONNREFUSED"),
        ("getsockopt(3, 0x1 /* SOL_SOCKET */, 0x4 /* SO_ERROR */, [111 /* ECONNREFUSED */], [4]) = 0", "ECONNREFUSED"),
        ("getsockopt(3, 0x1, 0x4, [111], [4])     = 0", "ECONNREFUSED"),
        ("getsockopt(sockfd=3, level=SOL_SOCKET, optname=SO_ERROR, optval=[EPIPE], optlen=[4]) = 0", "EPIPE"),
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, [4000], [4]) = 0", "errno 4000"),
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0", None),
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, 0x7ffc9a2c, [4]) = -1 EBADF (Bad file descriptor)", None),
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, [], [0]) = 0", None),
        ("getsockopt(3, SOL_SOCKET, SO_TYPE, [1], [4]) = 0", None),
        ("getsockopt(3, SOL_TCP, TCP_CORK, [1], [4]) = 0", None),
        ("setsockopt(3, SOL_SOCKET, SO_ERROR, [111], 4) = -1 ENOPROTOOPT (Protocol not available)", None),
    ],
)
def test_the_error_of_a_socket(line, expected):
    assert socket_error(call(line)) == expected
