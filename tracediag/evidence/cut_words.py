"""Texts of a message that strace cuts within a word: whether what is shown begins an error's text or a path."""

from __future__ import annotations

import re

from tracediag.trace.patterns import lazy_pattern

SHORTEST = 3
"""Characters of a name: shorter ones occur in any text."""
_PLACE = lazy_pattern(r"""(?:^|\n)[ \t]*+(?:File "|at |from )[^\n"]*+$""")
"""A line of a stack trace in Python, Java or Node.js, Ruby, which breaks off in the name of a source file."""


def begins(shown: str, text: str) -> bool:
    """Whether the shown text ends in a prefix of the error's text: `cat: /etc/shadow: Permiss`..."""
    tail = re.split(r": |\(", shown)[-1].lower()
    return len(tail) >= SHORTEST and text.lower().startswith(tail)


def path_begins(shown: str, wanted: list[str]) -> bool:
    """Whether the shown text ends in a prefix of a path, `cat: /etc/sha`..., outside of a stack trace.

    `  File "/usr/lib/pyth`... may be any of the files of a library.
    """
    if _PLACE.search(shown) is not None:
        return False
    tail = re.split(r"[\s'\"`(]", shown)[-1]
    return len(tail) > SHORTEST and any(name.startswith(tail) for name in wanted)
