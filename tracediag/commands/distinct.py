"""Which of the words of a command line are traces of their own: patterns, and files with several names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from tracediag.commands.errors import UsageError
from tracediag.commands.output import say
from tracediag.commands.places import is_file
from tracediag.trace.quantities import plural

_SHOWN = 3
"""How many names a message shows."""


def distinct(named: Sequence[str]) -> list[str]:
    """Return the traces, each file once: one that has several names would count several times. Say what is left out."""
    keys = {name: _files(name) for name in named}
    files: dict[object, str] = {}
    again: set[int] = set()
    for place in sorted(range(len(named)), key=lambda place: -len(keys[named[place]])):  # a set before one of its files
        name = named[place]
        if all(key in files for key in keys[name]):
            again.add(place)
        files.update((key, name) for key in keys[name] if key not in files)
    _tell_again([(named[place], files[keys[named[place]][0]]) for place in sorted(again)])
    return [name for place, name in enumerate(named) if place not in again]


def _tell_again(names: Sequence[tuple[str, str]]) -> None:
    """Say which names are left out, each given with the name of the same file that stays."""
    if len(names) == 1:
        ((name, first),) = names
        say(f"{name}: {'named twice' if first == name else f'the same file as {first}'}; it is read once")
    elif names:
        again = _some([name for name, _ in names])
        say(f"{again}: {plural(len(names), 'name')} of files that have another name, too; each file is read once")


def expanded(named: Sequence[str]) -> list[str]:
    """Return the traces, a pattern replaced by the files that it matches: quoted, it is longer than a shell allows.

    Raises `UsageError` for one that matches no regular file: to read a pipe may take for ever.
    """
    return [path for name in named for path in _matching(name)]


def _matching(name: str) -> list[str]:
    import glob

    if os.path.lexists(name) or not glob.has_magic(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [path for path in found if is_file(path)]
    skipped = [path for path in found if not is_file(path)]
    if skipped and not files:
        raise UsageError(f"{name} matches no regular file, only {_some(skipped)}")
    if skipped:
        say(f"{name}: {_some(skipped)} skipped: not a regular file")
    return files or [name]


def _files(name: str) -> list[object]:
    """Return what the files of a trace are known by: device and inode; those of `strace -ff` are several."""
    if name == "-":
        return ["-"]
    try:
        status = os.stat(name)  # noqa: PTH116 - Path.stat would raise for a null character as well
    except FileNotFoundError:
        return [key for path in _members(name) for key in _files(path)] or [name]
    except (OSError, ValueError):
        return [name]
    return [(status.st_dev, status.st_ino)]


def _members(prefix: str) -> Iterable[str]:
    from tracediag.reading.sets import members_of

    try:
        return members_of(prefix)
    except (OSError, ValueError):
        return ()


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"
