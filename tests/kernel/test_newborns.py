"""Children and threads whose clone is not in the recording, known by the first call of the C library in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag.api import read
from tracediag.kernel import Kernel, apply

SAMPLES = Path(__file__).parents[2] / "samples"
CLONE = re.compile(r"\d+ +(?:[\d.]+ )?(?:<\.\.\. )?(?:clone3?|v?fork)[( ]")


def after(lines: list[str]) -> Kernel:
    kernel = Kernel()
    for event in read(lines):
        apply(kernel, event)
    return kernel


def shape(kernel: Kernel) -> list[tuple[int | None, int | None]]:
    """Return each process with its parent, if its start was seen."""
    return [
        (process.pid, process.parent.pid if process.parent and process.started else None)
        for process in kernel.processes
    ]


@pytest.mark.parametrize(
    "sample",
    [
        "child-not-reaped/bug",
        "epoll-set-shared-after-fork/bug",
        "leaked-into-exec/bug",
        "oneshot-not-rearmed/bug",
    ],
)
@pytest.mark.parametrize("form", ["strace", "f.strace"])
def test_recording_without_clones_shows_the_same_processes(sample: str, form: str) -> None:
    lines = (SAMPLES / f"{sample}.{form}").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not CLONE.match(line)]
    assert len(kept) < len(lines)
    whole, cut = after(lines), after(kept)
    assert shape(cut) == shape(whole)


def test_child_has_the_descriptors_of_its_parent() -> None:
    kernel = after(
        [
            '10 execve("./server", ["./server"], 0x1 /* 2 vars */) = 0\n',
            "10 set_robust_list(0x7f00aa20, 24) = 0\n",
            "10 pipe2([3, 4], 0) = 0\n",
            "11 set_robust_list(0x7f00aa20, 24) = 0\n",
        ]
    )
    parent, child = kernel.processes
    assert child.parent is parent
    assert child.table is not parent.table
    copy, own = child.table.get(3), parent.table.get(3)
    assert copy is not None
    assert own is not None
    assert copy.file is own.file


def test_address_of_its_own_makes_a_thread() -> None:
    kernel = after(
        [
            '10 execve("./server", ["./server"], 0x1 /* 2 vars */) = 0\n',
            "10 set_robust_list(0x7f00aa20, 24) = 0\n",
            "11 rseq(0x7f00bfe0, 0x20, 0, 0x53053053 <unfinished ...>\n",
            "11 <... rseq resumed>) = 0\n",
            "11 set_robust_list(0x7f00b9a0, 24) = 0\n",
            "12 set_robust_list(0x7f00a9a0, 24) = 0\n",
            "13 set_robust_list(0x7f00b9a0, 24) = 0\n",
        ]
    )
    assert shape(kernel) == [(10, None), (13, 10)]
    assert {thread.tid for thread in kernel.processes[0].threads} == {10, 11, 12}


def test_another_address_in_a_second_program_proves_nothing() -> None:
    kernel = after(
        [
            '10 execve("./one", ["./one"], 0x1 /* 2 vars */) = 0\n',
            "10 set_robust_list(0x7f00aa20, 24) = 0\n",
            '11 execve("./two", ["./two"], 0x1 /* 2 vars */) = 0\n',
            "11 set_robust_list(0x7f00bb20, 24) = 0\n",
            "12 set_robust_list(0x7f00cc20, 24) = 0\n",
        ]
    )
    assert shape(kernel) == [(10, None), (11, None), (12, None)]


def test_thread_of_an_attached_process_is_not_guessed() -> None:
    kernel = after(["10 read(3, 0x1, 5) = 0\n", "11 set_robust_list(0x7f00aa20, 24) = 0\n"])
    assert shape(kernel) == [(10, None), (11, None)]
