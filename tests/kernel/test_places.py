"""The working directory and the root of processes, as far as shown, and the paths that start from them."""

from __future__ import annotations

import re

import pytest
from recordings import RECORDED
from test_process_table import FORK, THREAD, kernel_of

from tracediag.kernel import Kernel, apply
from tracediag.kernel.locating import absolute, location
from tracediag.kernel.place import joined
from tracediag.reading import read
from tracediag.trace.events import Syscall

SHARING = "clone(child_stack=0x7ff0, flags=CLONE_FS|SIGCHLD)"
OPENED = 'openat(AT_FDCWD, "x", O_RDONLY) = 3'

_TOLD = re.compile(r'"cwd ([^\\"]*)')
"""What the program says its working directory is."""


def opened(kernel: Kernel) -> str | None:
    """Return the path of fd 3 of the last process."""
    process = kernel.processes[-1]
    return location(process.table.open[3].file, next(iter(process.threads)))


def cwds(*lines: str) -> list[str | None]:
    return [process.place.cwd for process in kernel_of(*lines).processes]


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ((), None),
        (('chdir("/srv") = 0',), "/srv/x"),
        (('chdir("srv") = 0',), None),
        (('chdir("/srv") = 0', 'chdir("a/./b/") = 0'), "/srv/a/b/x"),
        (('chdir("/srv") = 0', 'chdir("/no") = -1 ENOENT (No such file or directory)'), "/srv/x"),
        (('chdir("/srv/link") = 0', 'chdir("..") = 0'), "/srv/link/../x"),
        (('getcwd("/srv/a", 4096) = 7', 'chdir("..") = 0'), "/srv/x"),
        (('chdir("/srv") = 0', 'getcwd("(unreachable)/srv", 4096) = 17'), "/srv/x"),
        (('open("/srv/d", O_RDONLY|O_DIRECTORY) = 4', "fchdir(4) = 0"), "/srv/d/x"),
        (("fchdir(4</srv/d>) = 0",), "/srv/d/x"),
        (("fchdir(4) = 0",), None),
        (('chdir("/a") = 0', 'open(".", O_RDONLY) = 4', 'chdir("/b") = 0', "fchdir(4) = 0"), "/a/x"),
        (('chdir("/srv") = 0', 'chroot("/jail") = 0'), "/srv/x"),
        (('chroot("/jail") = 0', 'chdir("/") = 0'), "/jail/x"),
        (('chroot("/jail") = 0', 'chdir("/../..") = 0'), "/jail/../../x"),
        (('chroot("jail") = 0', 'chdir("/") = 0'), None),
        (('chdir("/srv") = 0', 'chroot(".") = 0'), "/srv/x"),
        (('chdir("/new") = 0', 'pivot_root(".", "old") = 0', 'chdir("/") = 0'), None),
        (('chdir("/srv") = 0', 'execve("/bin/ls", ["ls"], 0x7ffe /* 3 vars */) = 0'), "/srv/x"),
    ],
)
def test_a_relative_path_starts_from_the_working_directory(lines: tuple[str, ...], path: str | None) -> None:
    assert opened(kernel_of(*(f"1 {line}" for line in (*lines, OPENED)))) == path


def test_a_fork_copies_the_working_directory() -> None:
    assert cwds('1 chdir("/a") = 0', f"1 {FORK} = 2", '2 chdir("/b") = 0', "1 close(0) = 0") == ["/a", "/b"]


def test_clone_fs_shares_it() -> None:
    assert cwds('1 chdir("/a") = 0', f"1 {SHARING} = 2", '2 chdir("/b") = 0') == ["/b", "/b"]


def test_threads_share_it_until_one_unshares() -> None:
    kernel = kernel_of(f"1 {THREAD} = 2", '2 chdir("/a") = 0', "2 unshare(CLONE_FS) = 0", '2 chdir("/b") = 0')
    (process,) = kernel.processes
    assert [thread.place.cwd for thread in process.threads] == ["/a", "/b"]


def test_a_path_after_a_later_chdir_keeps_its_directory() -> None:
    kernel = kernel_of('1 chdir("/a") = 0', f"1 {OPENED}", '1 chdir("/b") = 0')
    assert opened(kernel) == "/a/x"


def test_a_path_starts_from_an_open_directory() -> None:
    kernel = kernel_of('1 open("/srv", O_RDONLY) = 5', '1 openat(5, "x", O_RDONLY) = 3')
    assert opened(kernel) == "/srv/x"
    call = kernel.processes[0].table.open[3].opened
    assert call is not None
    assert absolute(call, kernel.process_table.threads[1], "path", "dirfd") == "/srv/x"


def test_a_deep_walk_ends() -> None:
    steps = [f'1 openat({number - 1}, "d", O_RDONLY) = {number}' for number in range(11, 3000)]
    kernel = kernel_of('1 open("/a", O_RDONLY) = 10', *steps)
    thread = kernel.process_table.threads[1]
    assert location(thread.process.table.open[12].file, thread) == "/a/d/d"
    assert location(thread.process.table.open[2999].file, thread) is None


def test_a_loop_of_chdirs_makes_no_endless_path() -> None:
    (process,) = kernel_of('1 chdir("/a") = 0', *(['1 chdir("b/c") = 0'] * 4000)).processes
    assert process.place.cwd is None
    assert len(process.place.stays) <= 16


def test_joined_resolves_only_what_cannot_be_a_link() -> None:
    assert joined("/a/b", "../../c/../d", physical=True) == "/c/../d"
    assert joined("/a", "../b") == "/a/../b"
    assert joined("/", "../b") == "/b"


@pytest.mark.parametrize("name", ["places", "places.y"])
def test_a_recorded_program_confirms_each_directory(name: str) -> None:
    lines = (RECORDED / f"{name}.strace").read_text().splitlines(keepends=True)
    kernel, told, known = Kernel(), 0, 0
    for event in read(lines):
        action = apply(kernel, event)
        if isinstance(event, Syscall) and event.name == "write" and (found := _TOLD.search(event.body)):
            told += 1
            known += action.thread.place.cwd is not None
            cwd = action.thread.place.cwd
            assert cwd is None or joined("/", cwd.replace("/b/..", "")) == found[1]
    assert (told, known) == (9, 9)
