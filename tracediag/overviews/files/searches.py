"""Groups the lookups of one file name in several directories into searches: PATH, include directories, libraries."""

from __future__ import annotations

import re
from collections import OrderedDict

import msgspec

from tracediag.kernel.process import Process
from tracediag.results.files import Search

_OPEN = 16
"""Names that a process may look for at the same time; a name not looked up for longer is a search that has ended."""
_PROCESSES = 256
_CANDIDATES = 64
_MOST = 1 << 14
"""Different searches that are kept."""


_PACKAGE = re.compile(r"([^/]++)/__init__\.(?>cpython-[^./]++\.so|abi3\.so|so|pyc?+)").fullmatch
"""The file of a Python package: importlib tries several suffixes in its directory, first those of extensions."""


def _sought(path: str) -> str:
    """Return what a lookup is for: the name of a file or, whatever the suffix, of a Python package."""
    name = path.rpartition("/")[2]
    if not name.startswith("__init__."):
        return name
    found = _PACKAGE("/".join(path.rsplit("/", 2)[-2:]))
    return name if found is None else f"{found[1]}/__init__"


class _Open(msgspec.Struct, eq=False):
    """A search that has found nothing so far."""

    line: int
    program: str
    paths: dict[str, None]
    tried: int = 1


class _Ended(msgspec.Struct, eq=False, gc=False):
    """A search, with its repetitions."""

    line: int
    tried: int
    programs: dict[str, None]
    times: int = 1


class Searches:
    """Collects the searches of all processes, in bounded memory."""

    def __init__(self) -> None:
        self._open: OrderedDict[Process, OrderedDict[str, _Open]] = OrderedDict()
        self._ended: dict[tuple[tuple[str, ...], str | None], _Ended] = {}

    def miss(self, process: Process, path: str, line: int, program: str) -> None:
        """Add a path that does not exist."""
        names = self._open.get(process)
        if names is None:
            names = self._open[process] = OrderedDict()
            if len(self._open) > _PROCESSES:
                _, oldest = self._open.popitem(last=False)
                for ended in oldest.values():
                    self._end(ended, None)
        name = _sought(path)
        search = names.get(name)
        if search is None:
            names[name] = _Open(line, program, {path: None})
            if len(names) > _OPEN:
                self._end(names.popitem(last=False)[1], None)
            return
        names.move_to_end(name)
        if path not in search.paths:
            search.tried += 1
            if len(search.paths) < _CANDIDATES:
                search.paths[path] = None

    def hit(self, process: Process, path: str) -> None:
        """Add a path that exists: it ends the search for its name."""
        names = self._open.get(process)
        if names:
            name = path[path.rfind("/") + 1 :]
            search = names.pop(_sought(path) if name.startswith("__init__.") else name, None)
            if search is not None and path not in search.paths:
                search.tried += 1
                self._end(search, path)

    def finish(self) -> tuple[Search, ...]:
        """End all searches, and return them: the most frequent first."""
        for names in self._open.values():
            for search in names.values():
                self._end(search, None)
        self._open.clear()
        found = [
            Search(
                name=_sought(paths[0]),
                candidates=paths if won is None else (*paths, won),
                tried=ended.tried,
                found=won,
                times=ended.times,
                programs=tuple(ended.programs),
                first_line=ended.line,
            )
            for (paths, won), ended in self._ended.items()
        ]
        return tuple(sorted(found, key=lambda search: (-search.times, search.first_line)))

    def _end(self, search: _Open, won: str | None) -> None:
        if search.tried < 2:
            return
        key = (tuple(search.paths), won)
        ended = self._ended.get(key)
        if ended is not None:
            ended.times += 1
            ended.programs[search.program] = None
        elif len(self._ended) < _MOST:
            self._ended[key] = _Ended(search.line, search.tried, {search.program: None})
