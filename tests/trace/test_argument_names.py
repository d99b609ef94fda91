"""Arguments by name; the lines without printed names were recorded with strace 6.1."""

import pytest
from tracedcalls import call

from tracediag.parsing import parser_for
from tracediag.trace.events import Begun
from tracediag.trace.values import Annotated, Flags, Symbol, Text, number_of

OPENAT = 'openat(AT_FDCWD, "file", O_RDWR|O_CREAT|O_CLOEXEC, 0640) = 7'
OPENAT_WITHOUT_MODE = 'openat(AT_FDCWD, "/usr/lib/python3.11/struct.py", O_RDONLY|O_CLOEXEC) = 3'
FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f89247c3310) = 29326"
FUTEX = "futex(0x5623036b7018, "
NAMED = (
    'sendto(sockfd=3<TCP:[1.2.3.4:80->1.2.3.4:9]>, buf="a, len=1", len=8 /* x, y=2 */, flags=MSG_NOSIGNAL, '
    "dest_addr=NULL, addrlen=0) = 8"
)


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        (OPENAT, "dirfd", Symbol("AT_FDCWD")),
        (OPENAT, "fd", Symbol("AT_FDCWD")),
        (OPENAT, "pathname", Text(b"file")),
        (OPENAT, "path", Text(b"file")),
        (OPENAT, "filename", Text(b"file")),
        (OPENAT, "flags", Flags(("O_RDWR", "O_CREAT", "O_CLOEXEC"))),
        (OPENAT, "mode", 0o640),
        (OPENAT_WITHOUT_MODE, "mode", None),
        (OPENAT, "backlog", None),
        ("epoll_ctl(6, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=4, u64=140226387247108}}) = 0", "fd", 4),
        ("epoll_ctl(6, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=4, u64=140226387247108}}) = 0", "epfd", 6),
        ("epoll_wait(6, [{events=EPOLLIN, data={u32=4, u64=140226387247108}}], 1023, 100) = 1", "fd", 6),
        ("epoll_wait(6, [{events=EPOLLIN, data={u32=4, u64=140226387247108}}], 1023, 100) = 1", "timeout", 100),
        ("getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0", "sockfd", 3),
        ('rename("made", "moved")           = 0', "path", Text(b"made")),
        ('rename("made", "moved")           = 0', "newpath", Text(b"moved")),
        ('pwrite64(7, "abc", 3, 5)          = 3', "offset", 5),
        ("kill(29325, SIGUSR1)              = 0", "sig", Symbol("SIGUSR1")),
        ("kill(29325, SIGUSR1)              = 0", "signum", Symbol("SIGUSR1")),
        ("ioctl(3, TCGETS, 0x7ffea0a6d660) = -1 ENOTTY (Inappropriate ioctl for device)", "op", Symbol("TCGETS")),
        ("sendfile(5, 7, [0] => [4], 4)     = 4", "fd", 5),
        ("pselect6(4, NULL, [3], NULL, {tv_sec=1, tv_nsec=0}, NULL) = 1 (out [3])", "sigmask", Symbol("NULL")),
    ],
)
def test_an_argument_is_found_by_any_of_its_names(line, name, expected):
    assert call(line).arg(name) == expected
    assert (name in call(line)) == (expected is not None)


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        (
            FUTEX + "FUTEX_WAIT, 2, {tv_sec=0, tv_nsec=1000}) = -1 EAGAIN (Resource temporarily unavailable)",
            "val3",
            None,
        ),
        (FUTEX + "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2, NULL, 0x7) = -1 ETIMEDOUT (...)", "val3", 7),
        (FUTEX + "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2, NULL, 0x7) = -1 ETIMEDOUT (...)", "uaddr2", None),
        (FUTEX + "0x189 /* FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME */, 2, NULL, 0x7) = 0", "val3", 7),
        (FUTEX + "FUTEX_WAKE_BITSET, 3, 0x9) = 0", "val3", 9),
        (FUTEX + "FUTEX_WAKE_BITSET, 3, 0x9) = 0", "timeout", None),
        (FUTEX + "FUTEX_LOCK_PI, NULL) = -1 EDEADLK (Resource deadlock avoided)", "timeout", Symbol("NULL")),
        (FUTEX + "FUTEX_LOCK_PI, NULL) = -1 EDEADLK (Resource deadlock avoided)", "val", None),
        (FUTEX + "FUTEX_CMP_REQUEUE, 1, 2, 0x5623036b7020, 5) = -1 EAGAIN (...)", "val2", 2),
        ('quotactl(QCMD(Q_GETFMT, USRQUOTA), "/dev/none", 0x7ffcd7734dfc) = -1 ENOENT (...)', "addr", 0x7FFCD7734DFC),
        ('quotactl(QCMD(Q_GETFMT, USRQUOTA), "/dev/none", 0x7ffcd7734dfc) = -1 ENOENT (...)', "id", None),
        ('quotactl(QCMD(Q_GETQUOTA, USRQUOTA), "/dev/none", 5, 0x7ffcd7734db0) = -1 ENOENT (...)', "id", 5),
        ('quotactl(QCMD(Q_GETQUOTA, USRQUOTA), "/Q_GETFMT", 5, 0x7ffcd7734db0) = -1 ENOENT (...)', "id", 5),
    ],
)
def test_the_operation_decides_which_parameters_are_printed(line, name, expected):
    assert call(line).arg(name) == expected


def test_a_raw_operation_leaves_only_what_it_cannot_move():
    """FUTEX_WAKE_BITSET with -X raw: the last value could as well be the timeout of FUTEX_WAIT."""
    wake = call("futex(0x556587590018, 0xa, 3, 0x9)      = 0")
    assert wake["uaddr"] == 0x556587590018
    assert wake["val"] == 3
    assert "timeout" not in wake
    assert "val3" not in wake
    whole = call("futex(0x556587590018, 0x4, 1, 2, 0x556587590020, 5) = -1 EAGAIN (Resource temporarily unavailable)")
    assert whole["val3"] == 5


def test_names_printed_by_strace_decide():
    fork = call(FORK)
    assert fork["flags"] == fork.arg(1)
    assert fork["child_tidptr"] == fork["child_tid"] == 0x7F89247C3310
    assert fork["stack"] == fork["child_stack"] == Symbol("NULL")
    assert "tls" not in fork
    raw = call("clone(0x1200011, 0, 0, 0x7f89247c3310, 0) = 0x728e")
    assert raw["flags"] == 0x1200011
    assert raw["child_tid"] == 0x7F89247C3310


def test_every_name_printed_is_found_in_all_its_spellings():
    sent = call(NAMED)
    assert sent["sockfd"] == sent["fd"] == Annotated(3, "TCP:[1.2.3.4:80->1.2.3.4:9]")
    assert sent["buf"] == Text(b"a, len=1")
    assert number_of(sent["len"]) == 8
    assert sent["addr"] == Symbol("NULL")
    assert sent.number("length") == 8


def test_a_printed_name_that_the_table_lacks():
    quota = call('quotactl(op=QCMD(Q_GETQUOTA, USRQUOTA), special="/dev/sda1", id=5, payload=0x7f0000001000) = 0')
    assert quota["payload"] == quota["addr"] == 0x7F0000001000
    unknown = call("frobnicate(size=3, how={flags=0}) = 0")
    assert unknown["size"] == 3
    assert "flags" not in unknown


def test_names_are_no_guess_where_text_and_values_differ_in_number():
    """Two values for one name: the text was damaged, and no position can be trusted."""
    damaged = Begun(line=1, name="read", body="fd=3, count=4", parser=lambda _: (3,))
    assert damaged.arg("fd") is None
    assert damaged[0] == 3


def test_an_unknown_call_falls_back_to_positions():
    unknown = call("syscall_0x3e7(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)")
    assert unknown.arg("fd") is None
    assert unknown[5] == 6


def test_what_is_not_shown():
    opened = call(OPENAT_WITHOUT_MODE)
    assert opened.arg(3) is None
    assert opened.number("mode") is None
    with pytest.raises(IndexError):
        opened[3]
    with pytest.raises(KeyError, match="mode"):
        opened["mode"]
    with pytest.raises(KeyError, match="nonsense"):
        opened["nonsense"]


def test_the_first_half_of_a_call_has_names_too():
    half = Begun(line=1, name="wait4", body="29326", parser=parser_for("wait4"))
    assert half["pid"] == 29326
    assert half.arg("options") is None
