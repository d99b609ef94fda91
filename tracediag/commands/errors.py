"""What can go wrong for a user, and the exit code that says so.

    CommandError           2
     +-- UsageError        2   the command line asks for something that is not there
    reading.UnreadableError  3   the input cannot be read
    anything else          2   our own fault

1 means findings, and nothing else.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable


class ExitCode(enum.IntEnum):
    """What the shell is told."""

    CLEAN = 0
    FINDINGS = 1
    FAULT = 2
    UNREADABLE = 3


class CommandError(Exception):
    """A command cannot do its work; the message is one clear line."""


class UsageError(CommandError):
    """The command line asks for something that is not there."""


def no_such(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that does not exist, with the ones that may have been meant."""
    alike = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(alike)}?" if alike else ""
    return UsageError(f"no {what} {name!r}{hint}")
