"""The user's cache folder, where a run finds what an earlier one took long to work out."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_file(name: str) -> Path:
    """Return a file of the cache folder, which is made if it is missing.

    Raises:
        OSError: if the folder cannot be made, or another user can have written the file.
        RuntimeError: if there is no home directory.
    """
    path = _folder() / name
    for folder in (path.parent.parent, path.parent):  # a home directory that does not exist is not made
        folder.mkdir(mode=0o700, exist_ok=True)
    _check_owner(path)
    return path


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
