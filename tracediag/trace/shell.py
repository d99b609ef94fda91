"""Command lines as a shell would read them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_LITERAL = re.compile(r"[^\"$`\\!]*+")
"""What double quotes leave as it is: bash(1), QUOTING."""


def joined(words: Iterable[str]) -> str:
    """Return a command line; a word with single quotes stands in double quotes where these change nothing in it."""
    return " ".join(map(quoted, words))


def quoted(word: str) -> str:
    """Return one word, quoted if it must be."""
    return f'"{word}"' if "'" in word and _LITERAL.fullmatch(word) else shlex.quote(word)
