"""Keeps lark's parse tables in the user's cache folder: building them takes longer than analysing a short trace."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lark
from lark import Lark

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


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
        path = _folder() / f"{name}-{digest}.lark"
        for folder in (path.parent.parent, path.parent):  # a home directory that does not exist is not made
            folder.mkdir(mode=0o700, exist_ok=True)
        _check_owner(path)
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


def _folder() -> Path:
    """Return the cache folder, as the XDG Base Directory Specification names it; a relative path there is invalid."""
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (told if told.is_absolute() else Path.home() / ".cache") / "tracediag"


def _check_owner(path: Path) -> None:
    """Raise OSError if another user can have written the file, or may put another in its place."""
    for each, is_kind in ((path.parent, stat.S_ISDIR), (path, stat.S_ISREG)):
        with contextlib.suppress(FileNotFoundError):
            found = each.lstat()
            if not is_kind(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
                raise PermissionError(each)
