"""Reads `constants.txt`, whose first lines explain its format: names for the numbers that `strace -X raw` prints."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from tracediag.trace.numbers import checked_integer

Rows = dict[str, tuple[tuple[int, str], ...]]
"""By group: its numbers and names, in the order in which they are tried."""
Places = dict[int | str, str]
"""The group of each argument, by its place, and of each field, by its name."""


class Case(msgspec.Struct, frozen=True):
    """An argument whose group another argument decides: what fcntl's third one means."""

    decider: int
    constant: str
    place: int
    group: str


class Table(msgspec.Struct):
    """The file, cut into rows."""

    enums: Rows = msgspec.field(default_factory=dict)
    flags: Rows = msgspec.field(default_factory=dict)
    masks: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    """By group of flags: the bits that hold a number of another group."""
    calls: dict[str, Places] = msgspec.field(default_factory=dict)
    cases: dict[str, list[Case]] = msgspec.field(default_factory=dict)
    fields: Places = msgspec.field(default_factory=dict)


@cache
def table() -> Table:
    """Return the table."""
    found = Table()
    for line in Path(__file__).with_name("constants.txt").read_text(encoding="ascii").splitlines():
        match line.split():
            case ["enum", group, *rows]:
                found.enums[group] = tuple(map(_row, rows))
            case ["flags", group, *rows]:
                found.flags[group] = tuple(_row(row) for row in rows if "=" in row)
                found.masks.update((group, _mask(row)) for row in rows if ":" in row)
            case ["call", names, *places]:
                for name in names.split(","):
                    found.calls.setdefault(name, {}).update(map(_place, places))
            case ["case", names, condition, target]:
                decider, _, constant = condition.partition("=")
                place, group = _place(target)
                for name in names.split(","):
                    found.cases.setdefault(name, []).append(
                        Case(checked_integer(decider), constant, checked_integer(str(place)), group)
                    )
            case ["field", *places]:
                found.fields.update(map(_place, places))
    return found


def _row(text: str) -> tuple[int, str]:
    value, _, name = text.partition("=")
    return checked_integer(value, 0), name


def _mask(text: str) -> tuple[int, str]:
    value, _, group = text.partition(":")
    return checked_integer(value, 0), group


def _place(text: str) -> tuple[int | str, str]:
    place, _, group = text.partition(":")
    return checked_integer(place) if place.isdecimal() else place, group


class Constants:
    """The names of numbers on one architecture: "alpha", "arm", "mips", "parisc", "sparc", or "" for all others."""

    def __init__(self, architecture: str = "") -> None:
        self._suffix = f"@{architecture}"
        self._known: dict[tuple[str, int], str | None] = {}

    def name(self, group: str, number: int) -> str | None:
        """Return a number as strace prints it by default, `O_RDWR|O_CREAT`; None if none of its bits has a name."""
        key = (group, number)
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._name(group, number)
        return self._known[key]

    def _name(self, group: str, number: int) -> str | None:
        rows = table()
        group = group + self._suffix if group + self._suffix in rows.enums | rows.flags else group
        if group in rows.enums:
            return dict(rows.enums[group]).get(number)
        names: list[str] = []
        if group in rows.masks:
            mask, inner = rows.masks[group]
            part = self.name(inner, number & mask)
            names, number = ([part], number & ~mask) if part is not None else ([], number)
        for bits, name in rows.flags.get(group, ()):
            if number & bits == bits and (bits or not number):
                names.append(name)
                number &= ~bits
        if names and number:
            names.append(hex(number))
        return "|".join(names) or None


_MOST_KNOWN = 4096
