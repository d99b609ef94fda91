"""What a process had in hand when a signal killed it: files that it was writing, and memory."""

from __future__ import annotations

from collections.abc import Container

from tracediag.evidence.paths import path_of
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.results.findings import Severity

_MUCH = 64 << 20
"""Bytes by which the memory of a process must have grown for the kernel to run out of memory because of it."""


def memory_of(process: Process) -> str:
    """Return how much memory a process had mapped, as a part of a title; "" if that explains nothing."""
    grown = process.space.grown
    if grown < _MUCH:
        return ""
    return f", after {grown >> 20:,} MiB of memory were mapped: possibly the out-of-memory killer"


def loss_of(process: Process, unnamed: Container[str] = ()) -> Severity:
    """A requested stop is bad where it interrupts work: a file that is being rewritten stays incomplete.

    A file whose name is removed ends with the process, and one that has been renamed is complete.

    Args:
        process: the process that was killed.
        unnamed: the paths that it has removed or renamed.
    """
    left = (*process.table.open.values(), *process.table.last_closed.values())
    mine = [held for held in left if held.closed is None or held.closed is process.exit]
    incomplete = any(_is_rewritten(held) and path_of(held.file, process) not in unnamed for held in mine)
    return Severity.WARNING if incomplete else Severity.NOTE


def _is_rewritten(held: Descriptor) -> bool:
    made = held.file.opened
    return made is not None and made.has("O_CREAT") and (made.has("O_TRUNC") or made.has("O_EXCL"))
