"""A folder of rules: which of its files are pages of rules, and their texts. It may hold anything."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from tracediag.bounded import read_bounded
from tracediag.errors import TracediagError
from tracediag.results.problems import Problem
from tracediag.rules.heads import page_text
from tracediag.trace.patterns import lazy_pattern

MOST_ENTRIES = 10_000
"""Entries of a folder that are looked at: it may be / by mistake."""
MOST_PAGES = 500
MOST_BYTES = 256 << 10
"""Bytes of a page: ten times those of our longest one."""
_LONGEST = 400
"""Characters of a message: it may quote what a page holds."""
_TITLE = lazy_pattern(r"# [\w-]++ \([A-Za-z]++[0-9]++\)[ \t]*+$", re.MULTILINE)
_UNPRINTABLE = lazy_pattern(r"[^\S\n\t ]|[\x00-\x08\x0e-\x1f\x7f]")


class RulesFolderError(TracediagError, ValueError):
    """A folder of rules that cannot be read, or is none; one clear line."""


class PageText(msgspec.Struct, frozen=True):
    """The text of a page of a rule."""

    path: Path
    text: str

    @property
    def is_hidden(self) -> bool:
        """Whether it is no rule, but has a query that others refer to."""
        return self.path.name.startswith("_")


def pages_in(folder: str | os.PathLike[str]) -> Iterator[PageText | Problem]:
    """Yield the pages in a folder by name, and a problem for each file that should be one and cannot be read.

    The pages are its files `*.md` that have a head; folders in it are not looked at. One whose name begins with an
    underscore is no rule, but others may refer to it.

    Raises:
        RulesFolderError: if it is no folder that can be read.
    """
    root = Path(folder)
    pages = [path for path in _entries(root) if path.name.endswith(".md")]
    for path in pages[:MOST_PAGES]:
        found = read_page(path)
        if found is not None:
            yield found
    if len(pages) > MOST_PAGES:
        yield _problem(pages[MOST_PAGES], f"not read: a folder of rules has at most {MOST_PAGES} pages")


def read_page(path: Path) -> PageText | Problem | None:
    """Read one file: None where it is a page of something else, such as README.md."""
    try:
        text = page_text(read_bounded(path, MOST_BYTES))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return _problem(path, "not UTF-8", line)
    except OSError as error:
        return _problem(path, error.strerror or str(error))
    except ValueError as error:
        return _problem(path, str(error))
    strange = _UNPRINTABLE.search(text)
    if strange is not None:
        line = text.count("\n", 0, strange.start()) + 1
        return _problem(path, f"a page is text: it has no character {strange[0]!r}", line)
    if text.startswith("---\n"):
        return PageText(path, text)
    if _TITLE.match(text.lstrip()):
        return _problem(path, "a page of a rule begins with its head, between two lines `---`", 1)
    return None


def rule_name(path: Path) -> str:
    """Return the name that the rule of a file must have: `no_fsync.md` is no-fsync."""
    return path.stem.replace("_", "-")


def shown(path: Path) -> str:
    """Return a path as text; a byte that is not UTF-8 stays an escape."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def brief(message: str) -> str:
    """Return a message on one line, cut where a page has made it very long."""
    said = " ".join(message.split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _problem(path: Path, message: str, line: int | None = None) -> Problem:
    return Problem(file=shown(path), line=line, message=message, rule=rule_name(path))


def _entries(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as found:
            names = [entry.name for entry in islice(found, MOST_ENTRIES + 1)]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RulesFolderError(f"{shown(root)}: {reason}; --rules and `rules` name a folder of pages") from None
    if len(names) > MOST_ENTRIES:
        raise RulesFolderError(f"{shown(root)}: more than {MOST_ENTRIES:,} files; this is no folder of rules")
    return [root / name for name in sorted(names) if not name.startswith(".")]
