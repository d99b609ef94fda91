"""The tables of a grammar as plain data, kept in the user's cache folder: lark makes them, `machine` parses by them.

To import lark and to let it load its own tables takes longer than the analysis of a short trace.
"""

from __future__ import annotations

import contextlib
import os
import stat
import zlib
from pathlib import Path

import msgspec

from tracediag.languages.texts import grammar_text

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_EDITION = 1
"""Another form of `Tables` has another number."""


class Production(msgspec.Struct, frozen=True, array_like=True):
    """A rule of the grammar, as a parser applies it."""

    origin: str
    """The symbol that takes the place of its right side."""
    length: int
    """How many symbols the right side has."""
    kept: tuple[int, ...]
    """The places of those that become children: not of terminals that begin with an underscore."""
    spliced: tuple[int, ...]
    """The places of those among them whose own children become children here."""
    make: str
    """The name of what makes the value of the children; "" for a rule that is only a part of others."""
    is_transparent: bool
    """Whether the value of a lone child is that of the rule."""


class Tables(msgspec.Struct, frozen=True):
    """An LALR(1) automaton."""

    grammar: str
    """The text that it was made from."""
    terminals: dict[str, str]
    """The regular expression of each terminal, in the order of the grammar."""
    ignored: tuple[str, ...]
    """The terminals that separate others and mean nothing."""
    productions: tuple[Production, ...]
    states: tuple[dict[str, int], ...]
    """By symbol: the state to enter, or `~number` of the production to apply."""
    start: int
    end: int


def kept_tables(name: str, start: str) -> Tables:
    """Return the tables of a grammar: those that an earlier run kept, if any; else they are made, and kept.

    Only a file that no other user can have written is read. Where the folder cannot be written, or `HOME` is not set,
    the tables are made each time.

    Args:
        name: the file of the grammar without its ending: "strace", "query".
        start: the symbol that a complete text of the language is.
    """
    grammar = grammar_text(f"{name}.lark")
    try:
        # The numbers tell versions apart that are used in turn; the text in the file says whether it is the right one.
        path = _folder() / f"{name}-{_EDITION}-{zlib.crc32(grammar.encode()):08x}.json"
        _check_owner(path)
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return _made(grammar, start)
    with contextlib.suppress(OSError, ValueError):  # there is none yet, or it is damaged
        found = msgspec.json.decode(path.read_bytes(), type=Tables)
        if found.grammar == grammar:
            return found
    made = _made(grammar, start)
    with contextlib.suppress(OSError):
        _keep(path, msgspec.json.encode(made))
    return made


def _made(grammar: str, start: str) -> Tables:
    from tracediag.languages.making import make_tables  # noqa: PLC0415  # it imports lark

    return make_tables(grammar, start)


def _keep(path: Path, data: bytes) -> None:
    """Write a file in one step: another run may read it at any time."""
    for folder in (path.parent.parent, path.parent):  # a home directory that does not exist is not made
        folder.mkdir(mode=0o700, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


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
