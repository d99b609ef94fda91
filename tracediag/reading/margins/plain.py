"""Tells a plain trace from a damaged one at a glance: most traces are plain, and looking for each damage takes time."""

from __future__ import annotations

from collections.abc import Sequence

from tracediag.reading.header import END
from tracediag.reading.margins.starts import is_start
from tracediag.trace.patterns import lazy_pattern

FEW = 20
"""Fewer lines are looked at closely."""
CLOSE = 8
"""One in so many lines may need a closer look, such as a result with an address; what a log adds stands in most."""
_PREFIX = r"(?>(?P<pid>[0-9]{1,8}+) +|\[pid +[0-9]{1,8}+\] )?+(?>[0-9:]{8,10}+(?>\.[0-9]{1,9}+)?+ )?+"
_RECORD = lazy_pattern(
    rf"{_PREFIX}(?:(?:<\.\.\. (?P<rest>[a-z_][a-z0-9_]*+) resumed>|(?P<name>[a-z_][a-z0-9_]*+)\()(?P<body>.*)"
    r"|(?:--- SIG[^-]*+(?>-(?!--)[^-]*+)*+---|\+\+\+ (?:exited with|killed by) [^+]*+\+\+\+)$)"
)
_HALF = " <unfinished ...>"


def is_plain(lines: Sequence[str]) -> bool:
    """Return whether each of these lines is a record as strace prints it, after strace's own prefix.

    What may be damage within such a record, such as entities of HTML, is not looked for; and many different
    numbers at the start of lines may be line numbers.
    """
    used = lines[:-1]  # the last may be cut
    if len(used) < FEW:
        return False
    pids, close = set(), 0
    for line in used:
        found = _RECORD.match(line)
        if found is None:
            return False
        body = found["body"]
        if body is not None and not body.endswith(_HALF) and END.match(body) is None:
            close += 1
            if CLOSE * close > len(used) or not is_start(line):
                return False
        pids.add(found["pid"])
    return 4 * len(pids) < len(used)
