"""The errors that a command reports, and their exit codes.

    CommandError           2
     +-- UsageError        2   the command line names something that does not exist
    reading.UnreadableError  3   the input cannot be read
    anything else          2   an internal error

1 means findings and nothing else.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable


class ExitCode(enum.IntEnum):
    """The exit codes of the command line."""

    CLEAN = 0
    FINDINGS = 1
    FAULT = 2
    UNREADABLE = 3


class CommandError(Exception):
    """A command failed; the message is one clear line."""


class UsageError(CommandError):
    """The command line names something that does not exist."""


def no_such(what: str, name: str, known: Iterable[str], listing: str) -> UsageError:
    """Return the error for a name that does not exist, with similar names, or else the command that lists all."""
    alike = difflib.get_close_matches(name, list(known), n=3)
    hint = f"; did you mean {' or '.join(alike)}?" if alike else f"; `{listing}` lists them"
    return UsageError(f"no {what} {name!r}{hint}")
