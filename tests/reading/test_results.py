"""The text after the arguments."""

from __future__ import annotations

import pytest

from tracediag.reading import read
from tracediag.trace.events import Syscall


def call(line: str) -> Syscall:
    events = [event for event in read([line]) if isinstance(event, Syscall)]
    assert len(events) == 1, line
    return events[0]


@pytest.mark.parametrize(
    ("line", "result", "errno", "detail", "duration"),
    [
        ("close(3)                                = 0", 0, None, "", None),
        ("brk(NULL)                               = 0x55be5a2ba000", 0x55BE5A2BA000, None, "", None),
        ("exit_group(0)                           = ?", None, None, "", None),
        ('access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)', -1, "ENOENT",
         "No such file or directory", None),
        ('access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory) <0.000004>', -1, "ENOENT",
         "No such file or directory", 0.000004),
        ("fcntl(3, F_GETFL)                       = 0x2 (flags O_RDWR)", 2, None, "flags O_RDWR", None),
        ("poll([{fd=3, events=POLLIN}], 1, 0)     = 0 (Timeout)", 0, None, "Timeout", None),
        ("poll([{fd=3, events=POLLIN}], 1, 0) = 1 ([{fd=3, revents=POLLIN}]) <0.000010>", 1, None,
         "[{fd=3, revents=POLLIN}]", 0.00001),
        ("select(4, [3], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [3], left {tv_sec=0, tv_usec=99})", 1, None,
         "in [3], left {tv_sec=0, tv_usec=99}", None),
        ('openat(AT_FDCWD</srv>, "a", O_RDONLY) = 3</srv/a> <0.000012>', 3, None, "/srv/a", 0.000012),
        ('openat(AT_FDCWD</srv>, "n", O_RDWR) = 3</dev/null<char 1:3>>', 3, None, "/dev/null<char 1:3>", None),
        ("socket(AF_UNIX, SOCK_STREAM, 0)         = 3<UNIX-STREAM:[26301]>", 3, None, "UNIX-STREAM:[26301]", None),
        ("accept(3, NULL, NULL) = 4<TCP:[127.0.0.1:80->127.0.0.1:5]>", 4, None,
         "TCP:[127.0.0.1:80->127.0.0.1:5]", None),
        ('memfd_create("m\\"fd", 0x3)               = 15</memfd:m\\"fd>(deleted)', 15, None, '/memfd:m\\"fd', None),
        ("read(0, 0x7ffc, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", None, "ERESTARTSYS",
         "To be restarted if SA_RESTART is set", None),
        ("getpid()                                = ? <unavailable>", None, None, "", None),
        ("getppid()                               = -1 (errno 4000)", -1, "4000", "", None),
        ("openat(0xffffff9c, 0x7f, 0, 0)          = -1 (errno 2)", -1, "ENOENT", "", None),
        ("getpid()                                = 0 (INJECTED)", 0, None, "", None),
        ("getpid() = -1 EPERM (Operation not permitted) (INJECTED)", -1, "EPERM", "Operation not permitted", None),
        ("getpid() = 7 (DELAYED) <0.1>", 7, None, "", 0.1),
        ('getcwd("x", 4096) = 2 (INJECTED: args)', 2, None, "", None),
        ("rt_sigreturn(0x2)                       = ? (mask now [])", None, None, "mask now []", None),  # 4.6
        ("time(NULL) = 1795402640 (2026-11-23T02:57:20+0000)", 1795402640, None, "2026-11-23T02:57:20+0000", None),
        ("getpid() = 4565<sh>", 4565, None, "sh", None),
        ("close(3 [lib_t!!ld_t]) = 0 [lib_t]", 0, None, "", None),
        ("connect(3, {sa_family=AF_INET}, 16) = -1 ETIMEDOUT (连接超时)", -1, "ETIMEDOUT", "连接超时", None),
        ('read(3, "", 5) = 0 <0>', 0, None, "", 0.0),  # --syscall-times=s
    ],
)  # fmt: skip
def test_results(line: str, result: int | None, errno: str | None, detail: str, duration: float | None) -> None:
    event = call(line)
    assert (event.result, event.errno, event.detail, event.duration) == (result, errno, detail, duration)
    assert event.tail.startswith("= ")
    assert line.endswith(event.tail)
    assert event.returned


@pytest.mark.parametrize(
    "body",
    [
        '1, "f(x) = 3\\n", 9',
        '1, "--- SIGINT ---\\n+++ exited with 0 +++\\n", 37',
        '1, "<unfinished ...>", 16',
        '1, "a \\"quoted) = 4\\" \\\\", 5',
        '3</tmp/data) = 4>, "x", 1',
        "3</dev/ptmx<char 5:2 @/dev/pts/0>>, TIOCGPTN, [0]",
        "-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL",
        "0x7ff0 /* ) = 5 */, 8",
        '4<UNIX-STREAM:[901798->901802,@"a) = 3"]>',
        "-1, 0x4b4a, {kb_cnt=1, kbdiacr=[{diacr='(', base=')', result='*'}]}",
        "<... resuming interrupted poll ...>",
        '3</srv/file\\nwith\\tesc\\"q\\\\>, F_SETFD, FD_CLOEXEC',
        "1<<16|0, NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_NEWTABLE",
    ],
)
def test_the_arguments_end_outside_strings_annotations_and_comments(body: str) -> None:
    for pad in (" ", "      "):
        event = call(f"write({body}){pad}= 9")
        assert (event.body, event.result, event.tail) == (body, 9, "= 9")
