"""The files of a trace, for people and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump_rows
from tracediag.report.grid import Column, paint_grid
from tracediag.results.files import Files, FileUse, Search
from tracediag.trace.quantities import plural

SCHEMA = "tracediag-files/1"
"""The edition of the document."""

_TITLES = {
    "written": "written, created, replaced or deleted",
    "temporary": "temporary: created, and deleted or renamed",
    "refused": "refused",
    "executed": "executed",
    "read": "read",
    "mapped": "mapped",
    "looked at": "looked at: attributes or links only",
    "devices": "devices that hold no data",
    "not found": "not found, in one place only",
}
_COLUMNS = (
    Column("LINE", "place", right=True),
    Column("READ", right=True),
    Column("WRITTEN", right=True),
    Column("HOW"),
    Column("BY", "faint"),
    Column("PATH", "name"),
)
_SYSTEM = re.compile(
    r"""
    /(?>proc|sys|dev)(?=/)
    |/usr/(?>local/)?share/(?>locale|i18n|zoneinfo|terminfo|ca-certificates)(?=/)
    |/usr/lib/locale(?=/) |/etc/ssl(?=/)
    |(?>/[^/]++)*?/(?>site-packages|dist-packages|node_modules|lib/python[0-9.]++)(?=/)
    |/usr/(?>local/)?include(?=/)
    |/lib(?>32|64)?+(?=/) |/usr/lib(?>32|64|exec)?+(?=/)
    """,
    re.VERBOSE,
).match
"""Directories of the system, whose files are shown as one row."""
_LIBRARY = re.compile(r"/(?>[^/]++/)*+[^/]++\.so(?>\.[0-9.]++)?+").fullmatch
_USUALLY_MISSING = re.compile(r"(?>/[^/]++)*?/(?>locale/|(?>glibc-hwcaps/[^/]++|tls|x86_64|haswell|avx512_1)$)").match
"""Translations, and the directories in which the dynamic linker looks for faster libraries: ld.so(8)."""
_FEW = 2
"""Files of a system directory that are still shown one by one."""
_CROWD = 8
"""Files of any other directory from which they are shown as one row."""
_FOLDED = frozenset({"read", "mapped", "looked at", "not found", "temporary", "executed"})
"""Groups in which rows are folded: what was changed or refused is always shown."""


def document(files: Files) -> Iterator[str]:
    """Yield the files as one JSON document on one line, in pieces."""
    return dump_rows(SCHEMA, files)


def picture(files: Files, look: Look, *, complete: bool = False, limit: int = 0) -> str:
    """Return the files as text.

    Args:
        files: what to show.
        look: the device.
        complete: whether each file has its own row, also those of the system.
        limit: at most so many rows of each list; 0: all.
    """
    canvas = Canvas(look)
    searched = set() if complete else {path for search in files.searches for path in search.candidates}
    for group, uses in groupby(files.files, key=lambda use: use.group):
        shown = [use for use in uses if group != "not found" or use.path not in searched]
        _section(canvas, group, shown, look, complete=complete, limit=limit)
    _searches(canvas, files.searches, look, complete=complete, limit=limit)
    if files.left_out:
        canvas.line((f"{plural(files.left_out, 'call')} on further paths: not listed", "faint"))
    if not files.files and not files.searches:
        canvas.line(("no file", "faint"))
    return canvas.take()


def _section(canvas: Canvas, group: str, uses: Sequence[FileUse], look: Look, *, complete: bool, limit: int) -> None:
    if not uses:
        return
    rows = list(_single(uses) if complete or group not in _FOLDED else _folded(uses))
    shown = rows[:limit] if limit else rows
    canvas.line((_TITLES[group], "label"), (f"   {plural(len(uses), 'path')}", "faint"))
    paint_grid(canvas, _COLUMNS, shown, indent=2, width=look.width)
    _rest(canvas, len(rows) - len(shown))
    canvas.blank()


def _rest(canvas: Canvas, number: int) -> None:
    if number:
        canvas.line((f"  {plural(number, 'more row')}: -n 0 prints all", "faint"))


def _single(uses: Iterable[FileUse]) -> Iterator[Sequence[str]]:
    for use in uses:
        how = [_how(use)]
        if use.renamed_from is not None:
            how.append(f"was {use.renamed_from}")
        elif use.renamed_to is not None:
            how.append(f"to {use.renamed_to}")
        yield (
            f"{use.first_line:,}",
            f"{use.bytes_read:,}" if use.bytes_read else "",
            f"{use.bytes_written:,}" if use.bytes_written else "",
            ", ".join(filter(None, how)),
            _programs(use.programs),
            use.path,
        )


def _how(use: FileUse) -> str:
    failed = ", ".join(f"{errno} {count:,} x" if count > 1 else errno for errno, count in use.errors.items())
    uses = ", ".join(use.uses)
    if use.group in ("not found", "refused") or not uses:
        return f"{uses}; {failed}" if uses and failed else uses or failed
    return uses


def _programs(programs: Sequence[str]) -> str:
    named = [name for name in programs if name]
    return ", ".join(named[:3]) + (f" +{len(named) - 3}" if len(named) > 3 else "")


def _folded(uses: Sequence[FileUse]) -> Iterator[Sequence[str]]:
    """Yield a row a file, those of the same system or crowded directory as one; the program's own files come first."""
    places: dict[str, list[FileUse]] = {}
    own: dict[str, list[FileUse]] = {}
    for use in uses:
        system = _place(use.path)
        if system is not None:
            places.setdefault(system, []).append(use)
        else:
            own.setdefault(use.path.rpartition("/")[0], []).append(use)
    for directory, held in own.items():
        if len(held) > _CROWD:
            yield _sum(f"{directory}/", held)
        else:
            yield from _single(held)
    for place, held in sorted(places.items(), key=lambda item: len(item[1])):
        if len(held) > _FEW:
            yield _sum(place, held)
        else:
            yield from _single(held)


def _place(path: str) -> str | None:
    """Return the system directory that a path is in, or what kind of file it is; None for all other paths."""
    if ".so" in path and _LIBRARY(path) is not None:
        return "shared libraries"
    found = _SYSTEM(path)
    return None if found is None else f"{found[0]}/"


def _sum(place: str, uses: Sequence[FileUse]) -> Sequence[str]:
    read, written = sum(use.bytes_read for use in uses), sum(use.bytes_written for use in uses)
    how = dict.fromkeys(use for each in uses for use in each.uses)
    programs = dict.fromkeys(name for use in uses for name in use.programs)
    example = min(uses, key=lambda use: use.first_line).path
    inside = example.removeprefix(place) if example.startswith(place) else example.rpartition("/")[2]
    return (
        f"{min(use.first_line for use in uses):,}",
        f"{read:,}" if read else "",
        f"{written:,}" if written else "",
        ", ".join(how) or ", ".join(dict.fromkeys(errno for use in uses for errno in use.errors)),
        _programs(tuple(programs)),
        f"{place}   {plural(len(uses), 'path')}: {inside}, …",
    )


def _searches(canvas: Canvas, searches: Sequence[Search], look: Look, *, complete: bool, limit: int) -> None:
    columns = (
        Column("LINE", "place", right=True),
        Column("TIMES", right=True),
        Column("BY", "faint"),
        Column("NAME"),
        Column("RESULT", "name"),
    )
    for title, wanted in (("searched for and not found", False), ("searched for and found", True)):
        held = [search for search in searches if (search.found is not None) is wanted]
        if not held:
            continue
        own = [search for search in held if complete or not _is_usual(search)]
        shown = own[:limit] if limit else own
        canvas.line((title, "label"), (f"   {plural(len(held), 'search').replace('searchs', 'searches')}", "faint"))
        if shown:
            paint_grid(canvas, columns, map(_search, shown), indent=2, width=look.width)
        _rest(canvas, len(own) - len(shown))
        if len(held) > len(own):
            canvas.line((f"  {len(held) - len(own):,} usual ones: --all prints them", "faint"))
        canvas.blank()


def _is_usual(search: Search) -> bool:
    """Whether a search is one that every program makes: what exists in the system, or what most systems lack."""
    if search.found is None:
        return all(_USUALLY_MISSING(path) is not None for path in search.candidates)
    return _place(search.found) is not None


def _search(search: Search) -> Sequence[str]:
    if search.found is None:
        directories = [path.rpartition("/")[0] or "/" for path in search.candidates[:3]]
        more = search.tried - len(directories)
        result = f"{plural(search.tried, 'candidate')}: {', '.join(directories)}" + (f" +{more:,}" if more > 0 else "")
    else:
        result = f"{search.found}   {_ordinal(search.tried)} candidate"
    times = f"{search.times:,}" if search.times > 1 else ""
    return (f"{search.first_line:,}", times, _programs(search.programs), search.name, result)


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number:,}th"
    return f"{number:,}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
