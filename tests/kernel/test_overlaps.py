"""A close in one thread that overlaps the call by which another thread is given the same number."""

from __future__ import annotations

import pytest

from tracediag.api import analyze, read
from tracediag.kernel import Kernel, apply

BEFORE = """\
1 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM) = 2
1 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 5
1 close(5) = 0
2 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>
"""
SPLIT = "1 close(5 <unfinished ...>\n2 <... openat resumed>) = 5\n1 <... close resumed>) = 0\n"
INSIDE = "1 close(5) = 0\n2 <... openat resumed>) = 5\n"
REFUSED = "1 close(5 <unfinished ...>\n2 <... openat resumed>) = 5\n1 <... close resumed>) = -1 EBADF (x)\n"


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _after(text: str) -> Kernel:
    kernel = Kernel()
    for event in read(_lines(text)):
        apply(kernel, event)
    return kernel


@pytest.mark.parametrize("halves", [SPLIT, INSIDE])
def test_the_close_takes_what_the_other_thread_was_just_given(halves: str) -> None:
    table = _after(BEFORE + halves).processes[0].table
    assert table.get(5) is None
    gone = table.last_closed[5]
    assert gone.file.path == "/a"
    assert gone.before is not None
    assert gone.before.file.socket is not None


def test_a_close_that_fails_takes_nothing() -> None:
    held = _after(BEFORE + REFUSED).processes[0].table.get(5)
    assert held is not None
    assert held.file.path == "/a"


def test_a_close_that_began_on_an_open_number_frees_it_for_the_other_thread() -> None:
    first, _, third, fourth = _lines(BEFORE)
    text = "".join((first, third.replace("close(5)", 'open("/b", O_RDONLY)').replace("= 0", "= 5"), fourth, SPLIT))
    held = _after(text).processes[0].table.get(5)
    assert held is not None
    assert held.file.path == "/a"


@pytest.mark.parametrize("halves", [SPLIT, INSIDE])
def test_the_owner_is_told_that_it_lost_the_descriptor(halves: str) -> None:
    failed = "2 read(5, 0x7f, 10) = -1 EBADF (Bad file descriptor)\n"
    report = analyze(_lines(BEFORE + halves + failed))
    (finding,) = report.causes
    assert finding.name == "double-close"
    assert finding.primary.line == 5
    assert "/a" in finding.title
