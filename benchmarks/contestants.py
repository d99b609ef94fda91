"""The programs that are compared; each runs alone in a process: `contestants.py NAME TRACE`.

The unit is `floor`: a Python loop that matches one header expression, for any form that a line's head can have, on
every line, and does nothing with it.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable

CONTESTANTS: dict[str, Callable[[str], None]] = {}


def contestant(run: Callable[[str], None]) -> Callable[[str], None]:
    """Register a program under its function's name."""
    CONTESTANTS[run.__name__] = run
    return run


@contestant
def floor(trace: str) -> None:
    """The unit: one match per line, result discarded."""
    match = re.compile(
        r"(?:\[pid +(\d+)\] +|(\d+) +)?(?:(\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+) +)?(?:\[[0-9a-f]{8,}\] +)?"
        r"(?:\[ *\d+\] +)?(?:(\w+)\(|<\.\.\. (\w+) resumed>|--- |\+\+\+ )"
    ).match
    with open(trace, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            match(line)


@contestant
def nothing(trace: str) -> None:
    """A Python process that does nothing: what start-up costs."""
    del trace


@contestant
def read_all(trace: str) -> None:
    """tracediag: every call an event, no arguments parsed."""
    from tracediag.reading import Reader

    for _ in Reader(trace):
        pass


@contestant
def read_arguments(trace: str) -> None:
    """tracediag: every call an event, every argument a value."""
    from tracediag.reading import Reader
    from tracediag.trace.events import Call

    for event in Reader(trace):
        if isinstance(event, Call):
            _ = event.args


@contestant
def analyze(trace: str) -> None:
    """tracediag: the full analysis with all rules."""
    from tracediag.__main__ import main

    main(["analyze", "--format", "json", "--exit-zero", trace])


@contestant
def summary(trace: str) -> None:
    """tracediag: the summary by call."""
    from tracediag.__main__ import main

    main(["summary", "--format", "json", trace])


@contestant
def files(trace: str) -> None:
    """tracediag: the files."""
    from tracediag.__main__ import main

    main(["files", "--format", "json", trace])


@contestant
def peers(trace: str) -> None:
    """tracediag: the peers."""
    from tracediag.__main__ import main

    main(["peers", "--format", "json", trace])


@contestant
def lark_per_line(trace: str) -> None:
    """Plain lark (LALR) on the arguments of every complete call, no shapes learned: from the first 20,000 lines."""
    from tracediag.parsing import ArgumentError, parse_strict
    from tracediag.reading import Reader
    from tracediag.trace.events import Syscall

    with open(trace, encoding="utf-8", errors="surrogateescape") as lines:
        head = [line for _, line in zip(range(PART["lark_per_line"]), lines, strict=False)]
    for event in Reader(head):
        if isinstance(event, Syscall):
            try:
                parse_strict(event.body)
            except ArgumentError:
                continue


@contestant
def stracetools(trace: str) -> None:
    """The peer library stracetools (Python): splits arguments; needs -tt stamps, so times are rewritten first."""
    from stracetools import StraceParser

    parser = StraceParser()
    with open(trace, encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines):
            if number >= PART["stracetools"]:
                break
            pid, _, rest = line.partition(" ")
            stamp, _, body = rest.lstrip().partition(" ")
            with contextlib.suppress(ValueError):  # it rejects some forms
                parser.parse_line(f"{pid} 01:02:03.{stamp.rpartition('.')[2]} {body.rstrip()}")


@contestant
def strace_process_tree(trace: str) -> None:
    """The peer strace-process-tree (Python): joins halves, draws the tree of processes."""
    import strace_process_tree as peer

    sys.argv = ["strace-process-tree", trace]
    peer.main()


PART = {"lark_per_line": 20_000, "stracetools": 200_000}
"""How many lines a slow contestant gets; its time is scaled up to the whole trace."""

if __name__ == "__main__":
    CONTESTANTS[sys.argv[1]](sys.argv[2])
