"""The kind of a descriptor without a path, from the call that created it or from its annotation."""

from __future__ import annotations

import pytest
from recordings import replay
from test_process_table import kernel_of

from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Kind

MADE = {
    3: Kind.EVENTFD,
    4: Kind.TIMERFD,
    5: Kind.SIGNALFD,
    6: Kind.INOTIFY,
    7: Kind.PIDFD,
    8: Kind.MEMFD,
    9: Kind.EPOLL,
}


@pytest.mark.parametrize("recording", ["kinds", "kinds.f"])
def test_by_the_call_that_made_it(recording: str) -> None:
    (process,) = replay(recording, "io_uring_setup").processes
    kinds = {held.number: held.file.kind for held in process.table}
    assert MADE.items() <= kinds.items()
    assert Kind.IO_URING in kinds.values()
    assert describe(process.table.open[4]) == "fd 4 = timerfd"


@pytest.mark.parametrize(
    ("note", "kind", "words"),
    [
        ("anon_inode:[eventfd]", Kind.EVENTFD, "eventfd"),
        ("{eventfd-count=0x1, eventfd-id=1, eventfd-semaphore=0}", Kind.EVENTFD, "eventfd"),
        ("anon_inode:[timerfd]", Kind.TIMERFD, "timerfd"),
        ("anon_inode:[signalfd]", Kind.SIGNALFD, "signalfd"),
        ("signalfd:[INT QUIT]", Kind.SIGNALFD, "signalfd"),
        ("anon_inode:inotify", Kind.INOTIFY, "inotify"),
        ("anon_inode:[pidfd]", Kind.PIDFD, "pidfd"),
        ("pid:7<sh>", Kind.PIDFD, "pidfd"),
        ("anon_inode:[io_uring]", Kind.IO_URING, "io_uring"),
        ("anon_inode:[eventpoll]", Kind.EPOLL, "epoll set"),
        ("/memfd:scratch", Kind.MEMFD, "/memfd:scratch"),
        ("anon_inode:kvm-vm", Kind.OTHER, None),
        ("/etc/shells", Kind.FILE, "/etc/shells"),
    ],
)
def test_by_its_annotation(note: str, kind: Kind, words: str | None) -> None:
    (process,) = kernel_of(f"read(9<{note}>, 0x7f, 8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)").processes
    held = process.table.open[9]
    assert held.file.kind is kind
    assert describe(held) == (f"fd 9 = {words}" if words else "fd 9")


def test_in_a_sentence() -> None:
    (process,) = kernel_of(
        "pipe2([3, 4], O_CLOEXEC) = 0", "read(9</srv/a (old)>, 0x7f, 8) = 0", "close(8) = 0"
    ).processes
    names = [name(process.table.open[number]) for number in (3, 4, 9)]
    assert names == ["fd 3 (pipe, read end)", "fd 4 (pipe, write end)", "fd 9 (/srv/a (old))"]
