"""Of very many processes the longest dead are dropped, so that a long trace needs no more memory than a short one."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel import Kernel, apply
from tracediag.reading import read

MANY = 3000


def _lines() -> Iterator[str]:
    yield '1 execve("/bin/make", ["make"], 0x7ffe /* 1 var */) = 0\n'
    yield "1 fork() = 2\n"
    yield "2 getpid() = 2\n"
    for pid in range(3, MANY):
        yield from (f"1 fork() = {pid}\n", f"{pid} exit_group(0) = ?\n", f"{pid} +++ exited with 0 +++\n")
    yield "2 close(0) = 0\n"


def test_the_first_the_living_and_the_newest_stay() -> None:
    kernel = Kernel()
    for event in read(_lines()):
        apply(kernel, event)
    pids = [process.pid for process in kernel.processes]
    assert pids[:2] == [1, 2]
    assert pids[-1] == MANY - 1
    assert pids == sorted(process.pid or 0 for process in kernel.processes)
    assert len(pids) < MANY // 2


def test_the_dead_share_nothing() -> None:
    kernel = Kernel()
    lines = [
        "1 fork() = 2\n",
        "1 fork() = 3\n",
        "2 +++ exited with 0 +++\n",
        "3 +++ exited with 0 +++\n",
        "1 close(9) = 0\n",
    ]
    for event in read(lines):
        apply(kernel, event)
    two, three = (process for process in kernel.processes if process.pid in (2, 3))
    for part in ("table", "signals", "space", "terminal", "children", "limits"):
        assert getattr(two, part) is not getattr(three, part)
    assert two.children is not two.limits


def test_the_last_time_is_looked_up_once(monkeypatch):
    """At the end of a trace each thread that stands in a call is judged by it."""
    kernel = Kernel()
    lines = [f"{pid} 1700000000.{pid} flock(3, LOCK_EX <unfinished ...>\n" for pid in range(1000, 1010)]
    for event in read(lines):
        apply(kernel, event)
    first = kernel.last_time
    monkeypatch.setattr(kernel, "process_table", None)
    assert kernel.last_time == first == 1700000000.1009
