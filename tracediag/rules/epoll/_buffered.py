"""Whether a loop that seems to spin hands out, turn by turn, the lines that an earlier read has fetched."""

from __future__ import annotations

from tracediag.rules.epoll._spin import Spin
from tracediag.trace.calls import READS
from tracediag.trace.values import text_of


def may_hand_out_lines(spin: Spin) -> bool:
    """Whether the read before the turns returned as many lines, and the thread read again after them."""
    file = spin.descriptor.file
    again = file.used
    if (
        again is None
        or again.failed
        or again.name not in READS
        or again.pid != spin.wait.pid
        or again.line <= spin.last.line
    ):
        return False
    return spin.times + spin.aside <= _lines_fetched(spin)


def _lines_fetched(spin: Spin) -> int:
    """Return how many lines the read before the turns returned.

    Where strace has cut the data, the rest has as many to a byte as what is shown; where it shows none, each byte may
    be a line. An excerpt that begins between the read and the turns does not show the read.
    """
    read = spin.fetched
    text = None if read is None or read.name not in READS or read.pid != spin.wait.pid else text_of(read.arg(1))
    if read is None and spin.descriptor.opened is None:
        return spin.times + spin.aside
    if read is None or text is None:
        return 0
    if not text.data:
        return (read.result or 0) if text.shortened else 0
    return text.data.count(b"\n") * max(read.result or 0, len(text.data)) // len(text.data)
