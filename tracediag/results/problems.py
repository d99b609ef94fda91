"""What is wrong with a rule of the user's own, and where."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    file: str
    """The file, as it was named; of a Python rule its entry point."""
    line: int | None = None
    """The line, from 1; None where the file as such is meant."""
    column: int | None = None
    """The column, from 1; None where the line as such is meant."""
    message: str
    """One line: what is wrong, and what may have been meant."""
    rule: str
    """The name of the rule, as far as it is known: else that of the file."""

    @property
    def place(self) -> str:
        """The file with line and column, as editors understand it: "rules/no_fsync.md:3:9"."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What `rules check` has found."""

    pages: int
    """Pages of rules that were checked."""
    traces: int
    """Traces on these pages that were analysed."""
    problems: tuple[Problem, ...] = ()
    """In the order of files and lines."""
