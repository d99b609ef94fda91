"""Keeps the files and searches that are asked for."""

from __future__ import annotations

import msgspec

from tracediag.overviews.files.rows import MISSING
from tracediag.results.files import Files


def select_files(files: Files, *, written: bool = False, not_found: bool = False, under: str | None = None) -> Files:
    """Return part of the files of a trace.

    Args:
        files: what `list_files` returns.
        written: keep only files that were written, created, replaced or deleted.
        not_found: keep only files that were looked for and never found, and the searches.
        under: keep only this path and those below it, and the searches with a candidate there.
    """
    uses, searches = files.files, files.searches
    if written:
        uses, searches = tuple(use for use in uses if use.group in ("written", "temporary")), ()
    if not_found:
        uses = tuple(use for use in uses if use.group == "not found" or (not use.uses and MISSING & use.errors.keys()))
    if under is not None:
        top = under.rstrip("/")
        uses = tuple(use for use in uses if _is_below(use.path, top))
        searches = tuple(search for search in searches if any(_is_below(path, top) for path in search.candidates))
    return msgspec.structs.replace(files, files=uses, searches=searches)


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")
