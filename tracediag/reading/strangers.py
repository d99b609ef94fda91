"""Finds the program's own output that has the form of a call: `retries(total) = 5` is no system call.

A name that no strace knows proves little alone, as kernels gain calls; but strace gives each of its lines the same
prefix, and puts the results in one column. A text in which no name is known, and no other line is strace's, is none.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.reading.damage import is_known_name
from tracediag.reading.dialect import Dialect
from tracediag.reading.prefix import Prefix, read_prefix
from tracediag.trace.patterns import lazy_pattern

_CALL = lazy_pattern(r"([a-z_][a-z0-9_]{0,60}+)\((.*)\)( *+)= [-?0-9]")
_OF_STRACE = lazy_pattern(r"<\.\.\. \w+ resumed>|\+\+\+ (?:exited|killed|superseded)|--- SIG|.* <unfinished \.\.\.>$")
_LONGEST = 4096
_COLUMN = 30
"""A call that ends before this column has blanks after it where strace aligns the results."""
_MOST = 64
"""At most this many names."""
_SHARE = 0.9


def strangers_of(sample: Iterable[str], dialect: Dialect) -> frozenset[str]:
    """Return the names, used like those of calls, that are not of calls, from the first lines of a trace."""
    known = short = aligned = 0
    unknown: dict[str, bool] = {}
    """Whether each line with that name has the form of strace's own."""
    for line in sample:
        prefix = read_prefix(line[:_LONGEST], dialect.bare)
        found = _CALL.match(line, prefix.end, _LONGEST)
        if found is None:
            known += _OF_STRACE.match(line, prefix.end, _LONGEST) is not None
            continue
        is_aligned = len(found[3]) > 1
        if is_known_name(found[1]):
            known += 1
            if found.end(2) - prefix.end < _COLUMN:
                short, aligned = short + 1, aligned + is_aligned
        else:
            fits = is_aligned or found.end(2) - prefix.end >= _COLUMN
            unknown[found[1]] = unknown.get(found[1], True) and fits and not lacks(prefix, dialect)
    if not unknown:
        return frozenset()
    ruled = known and aligned >= _SHARE * short and short > 1
    strange = [name for name, fits in unknown.items() if not known or (ruled and not fits)]
    return frozenset(strange[:_MOST])


def lacks(prefix: Prefix, dialect: Dialect) -> bool:
    """Return whether a line has no pid or no time, where those of this recording have them."""
    style, kind, *_ = dialect.shape
    return (style == "file" and prefix.pid is None) or (kind != "none" and prefix.kind == "none")
