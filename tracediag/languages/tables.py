"""Keeps lark's parse tables in the user's cache folder: building them takes longer than analysing a short trace."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lark
from lark import Lark

from tracediag.languages.folder import cache_file


def with_kept_tables(name: str, grammar: str, build: Callable[[str | bool], Lark]) -> Lark:
    """Return the parser of a grammar, with the tables that an earlier run kept, if any; else keep them.

    Lark keeps them as a pickle, which may run code, so only a file that no other user can have written is read. Where
    the folder cannot be written, or `HOME` is not set, the tables are built.

    Args:
        name: what the file is called after: "strace", "query".
        grammar: its text; another text, and another version of lark or Python, has another file.
        build: makes the parser, given the value of lark's option `cache`.
    """
    version = f"{lark.__version__} {sys.version_info[:2]}"
    digest = hashlib.sha256(f"{version}\n{grammar}".encode()).hexdigest()[:16]
    try:
        path = cache_file(f"{name}-{digest}.lark")
        with _locked(path.parent, alone=not path.exists()):
            return build(str(path))
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return build(False)


@contextmanager
def _locked(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold the folder, `alone` to write to it, since lark writes in place; raise OSError where another writes."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)
