"""The cost of an event does not grow with the processes and threads seen so far: work and objects are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, ValuesView

import pytest

from tracediag.evidence.scope import Scope
from tracediag.kernel import Kernel, apply
from tracediag.kernel.inheritance import Inheritance
from tracediag.kernel.process import Process, Thread
from tracediag.reading import read

MANY = 300


class Counted(list[Process]):
    """A list that counts how many of its items are read."""

    looks = 0

    def __iter__(self) -> Iterator[Process]:
        for process in super().__iter__():
            self.looks += 1
            yield process


class CountedThreads(dict[int | None, Thread]):
    """A dictionary that counts how often its values are iterated."""

    looks = 0

    def values(self) -> ValuesView[Thread]:
        self.looks += 1
        return super().values()


def kernel_of(lines: Iterable[str], kernel: Kernel | None = None) -> Kernel:
    kernel = kernel or Kernel()
    for event in read([f"{line}\n" for line in lines]):
        apply(kernel, event)
    return kernel


def strangers() -> Kernel:
    pids = range(2 * MANY, 1, -2)  # by one, they would be numbers of lines
    return kernel_of(f'{pid} read(3, "a", 1) = 1' for pid in pids)


def test_what_kind_of_recording_it_is_is_known_without_a_look_at_the_processes() -> None:
    kernel = strangers()
    last = kernel.processes[-1]
    (descriptor,) = last.table
    kernel.process_table.processes = counted = Counted(kernel.processes)
    scope = Scope(kernel)
    assert scope.is_excerpt
    assert scope.may_share(last)
    assert not scope.lacks_birth(descriptor, None)
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
    assert Scope(kernel).is_excerpt is not shown


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


OPENS = [f'1 openat(AT_FDCWD, "/srv/data", O_RDONLY) = {fd + 3}' for fd in range(MANY)]
LEAF = 32


def nodes(root: Inheritance) -> Iterator[Inheritance]:
    yield root
    for node in root.below.values():
        yield from nodes(node)


def references(kernel: Kernel) -> int:
    """Count the inherited references that are stored, each shared one once."""
    trees = [process.table.inherited for process in kernel.processes]
    return sum(len(node.entries) for node in {node for tree in trees for node in nodes(tree)})


@pytest.mark.parametrize("followed", [False, True])
def test_children_share_what_they_inherit(followed: bool) -> None:
    children = range(2, MANY + 2)
    kernel = kernel_of([*OPENS, *(f"1 fork() = {pid}" for pid in children)])
    kernel_of([f"{pid} getpid() = {pid}" for pid in reversed(children) if followed], kernel)
    assert all(process.table.count == MANY for process in kernel.processes)
    assert references(kernel) == MANY
    held = kernel.processes[0].table.open[3].file
    assert (len(held.heirs or ()), len(held.strays or ())) == (int(followed), int(not followed))


def test_a_fork_copies_what_has_changed_since_the_last_one() -> None:
    lines = [line for item, line in enumerate(OPENS) for line in (line, f"1 fork() = {item + 2}")]
    kernel = kernel_of(lines)
    assert [len(process.table.inherited) for process in kernel.processes[1:]] == list(range(1, MANY + 1))
    assert references(kernel) <= MANY * LEAF


def test_a_child_that_closes_one_number_shares_the_others() -> None:
    kernel = kernel_of([*OPENS, "1 fork() = 2", "1 fork() = 3", "2 close(3) = 0"])
    parent, second, third = kernel.processes
    assert (3 in second.table.inherited, 3 in third.table.inherited) == (False, True)
    assert references(kernel) < MANY + LEAF
    assert parent.table.open[3].file.referred


def test_an_unfollowed_child_is_found_from_what_it_holds() -> None:
    kernel = kernel_of(['1 open("/a", O_RDONLY) = 3', "1 fork() = 2", "1 close(3) = 0"])
    file = kernel.processes[0].table.last_closed[3].file
    kernel.process_table.processes = counted = Counted(kernel.processes)
    assert file.closed is not None
    assert kernel.closed(file) is None
    assert counted.looks == 0
    kernel_of(["2 +++ exited with 0 +++"], kernel)
    assert kernel.closed(file) is not None


def test_lines_left_out_concern_only_threads_seen_since_the_last_ones() -> None:
    kernel = strangers()
    kernel_of(["7 close(3) = 0", "...", "8 getpid() = 8"], kernel)
    assert not kernel.process_table.threads[7].process.table.last_closed
    kernel.process_table.threads = counted = CountedThreads(kernel.process_table.threads)
    kernel_of(["8 close(3) = 0", *["..."] * MANY, "9 getpid() = 9"], kernel)
    assert not kernel.process_table.threads[8].process.table.last_closed
    assert counted.looks == 0


def test_lines_left_out_concern_what_a_thread_did_that_has_ended() -> None:
    thread = "clone(child_stack=0x7ff0, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 2"
    start = ['1 open("/a", O_RDONLY) = 3', f"1 {thread}", "...", "2 close(3) = 0", "2 +++ exited with 0 +++"]
    kernel = kernel_of(start)
    assert kernel.processes[0].table.last_closed
    kernel_of(["...", "1 getpid() = 1"], kernel)
    assert not kernel.processes[0].table.last_closed


def test_lines_without_a_pid_find_their_thread_without_a_look_at_all() -> None:
    kernel = strangers()
    kernel.process_table.threads = counted = CountedThreads(kernel.process_table.threads)
    kernel_of((line for _ in range(MANY // 2) for line in ("getpid() = 1", "exit_group(0) = ?")), kernel)
    assert counted.looks == 0
    left = [process for process in kernel.processes if process.exit_status is not None]
    assert [process.pid for process in left] == list(range(2 * MANY, MANY, -2))


def test_a_process_that_gets_its_pid_late_keeps_its_place() -> None:
    fork = "clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>"
    lines = [fork, "[pid 2] getpid() = 2", "[pid 1] <... clone resumed>) = 2", "close(7) = 0"]
    first, second = kernel_of(lines).processes
    assert (7 in first.table.last_closed, 7 in second.table.last_closed) == (True, False)
