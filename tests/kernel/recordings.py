"""The kernel after a recorded trace of `recorded/`, complete or up to a line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tracediag.kernel import Kernel, apply
from tracediag.kernel.process import Process
from tracediag.reading import read

RECORDED = Path(__file__).parent / "recorded"


def replay(name: str, until: str = "") -> Kernel:
    """Apply the lines of a recording, up to and including the last one with a text."""
    lines = (RECORDED / f"{name}.strace").read_text().splitlines(keepends=True)
    last = max(at for at, line in enumerate(lines) if until in line)
    kernel = Kernel()
    for event in read(islice(lines, last + 1)):
        apply(kernel, event)
    return kernel


def told(name: str, text: str) -> int:
    """Return the number of the first line with a text."""
    lines = (RECORDED / f"{name}.strace").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def family(kernel: Kernel) -> tuple[Process, Process]:
    """Return the first process and its last child."""
    return kernel.processes[0], kernel.processes[-1]
