"""The rows of `files` while the trace is read: one a path, bounded in number."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from tracediag.results.files import FileUse
from tracediag.trace.patterns import lazy_pattern

MOST_FILES = 1 << 16
"""Paths that are told apart; calls on later ones are only counted."""
_PROGRAMS = 8

MISSING = frozenset({"ENOENT", "ENOTDIR"})
REFUSED = frozenset({"EACCES", "EPERM", "EROFS", "ETXTBSY"})

_CHANGES = ("created", "created or replaced", "replaced", "deleted", "renamed", "written", "changed")
GROUPS = ("written", "temporary", "refused", "executed", "read", "mapped", "looked at", "devices", "not found")
"""The groups in the order of the report."""
_USES = (*_CHANGES, "executed", "read", "listed", "mapped", "opened", "looked at")
"""The uses in the order in which a row names them."""

_DEVICE = lazy_pattern(
    r"/dev/(?>null|zero|full|u?random|tty[A-Za-z0-9]*+|ptmx|console|log|std(?>in|out|err)|(?>pts|fd)/[0-9]++)"
)
"""Devices that hold no data: null(4), tty(4), pts(4)."""
_EMPTIES = frozenset({"created or replaced", "replaced"})
"""What `> /dev/null` asks for and a device does not do."""
_BITS = {use: 1 << place for place, use in enumerate(_USES)}
_CHANGED = sum(_BITS[use] for use in _CHANGES)
_MADE = sum(_BITS[use] for use in ("created", "deleted", "renamed", "changed"))
_DEVICE_USES = sum(_BITS[use] for use in ("opened", "read", "written"))
_READ = sum(_BITS[use] for use in ("read", "listed", "opened"))


@lru_cache(maxsize=1 << 12)
def _together(programs: tuple[str, ...], program: str) -> tuple[str, ...]:
    return (*programs, program)


@lru_cache(maxsize=1 << 12)
def _shared(uses: tuple[str, ...]) -> tuple[str, ...]:
    return uses


class Row(msgspec.Struct, eq=False, gc=False):
    """One path."""

    path: str
    line: int
    uses: int = 0
    """Bits, in the order of `_USES`."""
    programs: tuple[str, ...] = ()
    """Shared by all rows that the same programs used in the same order."""
    absent: int = 0
    """Calls that failed with ENOENT: nearly every error is one."""
    errors: dict[str, int] | None = None
    """The other errors."""
    read: int = 0
    written: int = 0
    opens: int = 0
    calls: int = 0
    exists: bool | None = None
    """Whether it exists, as far as the calls so far show."""
    came_from: str | None = None
    became: str | None = None

    def by(self, program: str) -> None:
        """Count a call of a program."""
        self.calls += 1
        programs = self.programs
        if program not in programs and len(programs) < _PROGRAMS:
            self.programs = _together(programs, program)

    def use(self, use: str) -> None:
        """Record a use."""
        self.uses |= _BITS[use]

    def used(self, use: str) -> bool:
        """Whether it was used so."""
        return bool(self.uses & _BITS[use])

    def fail(self, errno: str) -> None:
        """Count a failed call."""
        if errno == "ENOENT":
            self.absent += 1
            return
        if self.errors is None:
            self.errors = {}
        self.errors[errno] = self.errors.get(errno, 0) + 1

    @property
    def device(self) -> bool:
        """Whether it is a device that holds no data, and was opened but neither made nor changed."""
        return bool(self.uses & _DEVICE_USES) and not self.uses & _MADE and _DEVICE.fullmatch(self.path) is not None

    def group(self) -> str:
        """Return the group in the report: the use that matters most."""
        errors = self.errors or {}
        if self.device:
            return "devices"
        if self.uses & _CHANGED:
            made = self.used("created") or (self.used("created or replaced") and self.became is not None)
            return "temporary" if made and self.exists is False else "written"
        if any(errno in REFUSED for errno in errors):
            return "refused"
        if self.used("executed"):
            return "executed"
        if self.used("mapped"):
            return "mapped"
        if self.uses & _READ:
            return "read"
        return "looked at" if self.uses or not (self.absent or "ENOTDIR" in errors) else "not found"

    def result(self) -> FileUse:
        """Return the finished row."""
        named = [use for use, bit in _BITS.items() if self.uses & bit]
        if self.device:
            named = [use for use in named if use not in _EMPTIES]
        if "created" in named and "created or replaced" in named:
            named.remove("created or replaced")
        if len(named) > 1:  # every file that is used is opened and looked at
            named = [use for use in named if use not in ("opened", "looked at")] or ["opened"]
        return FileUse(
            path=self.path,
            group=self.group(),
            uses=_shared(tuple(named)),
            bytes_read=self.read,
            bytes_written=self.written,
            opens=self.opens,
            calls=self.calls,
            errors=({"ENOENT": self.absent} if self.absent else {}) | (self.errors or {}),
            programs=self.programs,
            first_line=self.line,
            renamed_from=self.came_from,
            renamed_to=self.became,
        )


class Rows:
    """All rows by their paths."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._names: dict[str, Row] = {}
        """Rows by the names that lead to them through symbolic links."""
        self.left_out = 0

    def get(self, path: str, line: int, *, follow: bool = True) -> Row:
        """Return the row of a path, creating it if necessary; `follow` resolves known symbolic links."""
        if follow and (known := self._names.get(path)) is not None:
            return known
        found = self._rows.get(path)
        if found is None:
            found = Row(path, line)
            if len(self._rows) < MOST_FILES:
                self._rows[path] = found
            else:
                self.left_out += 1
        return found

    def name(self, given: str, row: Row) -> None:
        """Record that a path leads to the file of a row; what was learned under the given path moves there."""
        if given == row.path or given in self._names or len(self._names) >= MOST_FILES:
            return
        self._names[given] = row
        earlier = self._rows.get(given)
        if (
            earlier is not None
            and not (earlier.uses & ~_BITS["looked at"])
            and not earlier.errors
            and not earlier.absent
        ):
            del self._rows[given]
            row.line = min(row.line, earlier.line)
            row.calls += earlier.calls

    def finish(self) -> tuple[FileUse, ...]:
        """Return the rows in the order of their groups."""
        found = [row.result() for row in self._rows.values() if row.calls or row.uses]
        order = {group: place for place, group in enumerate(GROUPS)}
        return tuple(sorted(found, key=lambda use: (order[use.group], use.first_line)))
