"""The error of a query: where it is, what is wrong there and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tracediag.errors import TracediagError


class QueryError(TracediagError, ValueError):
    """A query is not of the language, or compares what cannot be compared."""

    def __init__(self, text: str, place: int, message: str) -> None:
        """Set where the error is.

        Args:
            text: the query.
            place: the index in the text, from 0.
            message: what is wrong, in one line.
        """
        super().__init__(message)
        self.text = text
        self.message = message
        before = text[:place]
        self.line = before.count("\n") + 1
        """The line of the query, from 1."""
        self.column = place - (before.rfind("\n") + 1) + 1
        """The column in that line, from 1."""

    def __str__(self) -> str:
        """Return the place and the message in one line."""
        where = f"column {self.column}" if "\n" not in self.text.strip() else f"line {self.line}, column {self.column}"
        return f"{where}: {self.message}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the most similar of the known words, or "" if none is similar."""
    by_lower = {each.lower(): each for each in known}
    alike = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[alike[0]]}?" if alike else ""


_ELSEWHERE = {
    **dict.fromkeys(("unfinished", "pending", "blocked"), "not returned"),
    **dict.fromkeys(("syscall", "name"), "call"),
    **dict.fromkeys(("error", "err"), "errno"),
    **dict.fromkeys(("ret", "retval", "rc", "return", "returns"), "result"),
    **dict.fromkeys(("file", "filename", "pathname"), "path"),
    **dict.fromkeys(("size", "count", "length"), "bytes"),
    **dict.fromkeys(("took", "elapsed", "latency"), "duration"),
    **dict.fromkeys(("fd", "descriptor"), "fd.number"),
    **dict.fromkeys(("port", "peer.port"), "fd.peer.port"),
    **dict.fromkeys(("host", "ip", "peer.host"), "fd.peer.host"),
    **dict.fromkeys(("comm", "command.name", "process"), "process.comm"),
    **dict.fromkeys(("program", "exe"), "process.program"),
    **dict.fromkeys(("command", "cmdline", "argv"), "process.command"),
    **dict.fromkeys(("uid", "user"), "process.uid"),
    **dict.fromkeys(("tid", "thread"), "pid"),
    **dict.fromkeys(("status", "exit.code", "exit_status"), "exit.status"),
    **dict.fromkeys(("killed", "killed.by"), "exit.signal"),
    **dict.fromkeys(("si_signo", "signo", "signal.name"), "signal"),
    **dict.fromkeys(("signal.code", "code"), "si_code"),
    **dict.fromkeys(("signal.pid", "sender"), "si_pid"),
    "timestamp": "time",
}
"""What other tools and manuals call what a query names otherwise."""


def similar(name: str, names: Iterable[str]) -> str:
    """Return as `nearest` does; a name of other tools has its own of the language."""
    known = _ELSEWHERE.get(name.lower())
    return nearest(name, names) if known is None else f"; did you mean {known}?"
