"""What an event costs does not grow with the processes and threads shown so far: work and objects are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from tracediag.evidence.steps import is_excerpt, left_out, unrelated
from tracediag.kernel import Kernel, apply
from tracediag.kernel.process import Process
from tracediag.reading import read

MANY = 300


class Counted(list[Process]):
    """A list that counts how many of its items are looked at."""

    looks = 0

    def __iter__(self) -> Iterator[Process]:
        for process in super().__iter__():
            self.looks += 1
            yield process


def kernel_of(lines: Iterable[str], kernel: Kernel | None = None) -> Kernel:
    kernel = kernel or Kernel()
    for event in read([f"{line}\n" for line in lines]):
        apply(kernel, event)
    return kernel


def strangers() -> Kernel:
    return kernel_of(f'{pid} read(3, "a", 1) = 1' for pid in range(1, MANY))


def test_what_kind_of_recording_it_is_is_known_without_a_look_at_the_processes() -> None:
    kernel = strangers()
    last = kernel.processes[-1]
    (descriptor,) = last.table
    kernel.process_table.processes = counted = Counted(kernel.processes)
    assert not is_excerpt(kernel)
    assert unrelated(last, kernel)
    assert not left_out(descriptor, None)
    assert counted.looks == 0


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("1 getpid() = 1", False),
        ('1 execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0', True),
        ('1 execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = -1 ENOENT (No such file or directory)', False),
        ("1 exit_group(0) = ?", False),
        ("1 +++ exited with 0 +++", True),
        ("1 +++ killed by SIGKILL +++", True),
    ],
)
def test_a_start_or_end_is_noted(line: str, shown: bool) -> None:
    kernel = kernel_of([line])
    assert kernel.shows_start_or_end is shown
    assert is_excerpt(kernel) is not shown


def test_a_table_knows_whether_its_program_was_executed_in_the_trace() -> None:
    execve = 'execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0'
    first, second, third = kernel_of([f"1 {execve}", "1 fork() = 2", "2 getpid() = 2", "3 getpid() = 3"]).processes
    assert [process.table.executed for process in (first, second, third)] == [True, False, False]


def test_a_table_unshared_by_a_program_is_still_that_programs() -> None:
    shared = "clone(child_stack=0x7ff0, flags=CLONE_FILES|SIGCHLD) = 2"
    execve = 'execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0'
    first, second = kernel_of([f"1 {execve}", f"1 {shared}", "1 unshare(CLONE_FILES) = 0", "2 getpid() = 2"]).processes
    assert first.table is not second.table
    assert first.table.executed
