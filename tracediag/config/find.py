"""The file of the configuration: the nearest one, from a folder upwards."""

from __future__ import annotations

import os
from pathlib import Path

from tracediag.bounded import read_bounded

MOST_BYTES = 1 << 20
"""Bytes of a configuration file; a larger one is no configuration."""
OWN_FILE, PROJECT_FILE = "tracediag.toml", "pyproject.toml"
_MENTION = b"tracediag"


def find_config(start: Path) -> Path | None:
    """Return the nearest tracediag.toml, or pyproject.toml that mentions tracediag, in a folder or one above it.

    In one folder tracediag.toml wins. A pyproject.toml without the name is not parsed: it may be broken, or huge.
    """
    for folder in (start, *start.parents):
        if os.path.lexists(folder / OWN_FILE):  # a broken link is an error, not a reason to look further up
            return folder / OWN_FILE
        if mentions(folder / PROJECT_FILE):
            return folder / PROJECT_FILE
    return None


def mentions(path: Path) -> bool:
    """Whether a file can be read and has the name tracediag in it."""
    try:
        return _MENTION in read_bounded(path, MOST_BYTES)
    except (OSError, ValueError):
        return False
