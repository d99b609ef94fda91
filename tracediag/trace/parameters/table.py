"""Reads `calls.txt`, whose first lines explain its format: the file on first use, each row when first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_NOTHING: Mapping[str, int] = MappingProxyType({})
_MOST_TEXT = 256
"""The constant that decides what strace prints is among the first two arguments."""


class Everyday(NamedTuple):
    """A common name for whichever of several parameters a call has."""

    name: str
    stands_for: tuple[str, ...]


class Table(NamedTuple):
    """The file, cut into rows."""

    rows: Mapping[str, tuple[tuple[str, ...], ...]]
    """By call, or by call and constant: each parameter's spellings, the manual's first."""
    everyday: tuple[Everyday, ...]
    deciding: Mapping[str, re.Pattern[str]]
    """By call: the constant that decides which parameters are printed, for calls where one does."""


@cache
def table() -> Table:
    """Return the table."""
    rows: dict[str, tuple[tuple[str, ...], ...]] = {}
    everyday: list[Everyday] = []
    for line in Path(__file__).with_name("calls.txt").read_text(encoding="ascii").splitlines():
        match line.split():
            case ["#", *_]:
                pass
            case ["=", name, *others]:
                everyday.append(Everyday(name, tuple(others)))
            case [call, *parameters]:
                rows[call] = tuple(tuple(one.split("/")) for one in parameters if one != "-")
    return Table(rows, tuple(everyday), _deciding(rows))


def _deciding(rows: Mapping[str, object]) -> dict[str, re.Pattern[str]]:
    """Return the expression that finds the constant: FUTEX_WAIT_BITSET of `0x89 /* FUTEX_WAIT_BITSET_PRIVATE */`."""
    found = {}
    for row in rows:
        call, _, word = row.partition(":")
        if word:
            prefix = re.escape(word.partition("_")[0])
            found[call] = re.compile(rf"\b{prefix}_[A-Z0-9_]+?(?=(?:_PRIVATE)?\b)")
    return found


def calls() -> frozenset[str]:
    """Return the calls whose parameters are known."""
    return frozenset(row for row in table().rows if ":" not in row)


def names(call: str, body: str = "") -> tuple[str, ...] | None:
    """Return the manual's names of the parameters, in printed order; None for an unknown call.

    With the body, the names for that operation, if they depend on it.
    """
    row = table().rows.get(_row(call, body))
    return None if row is None else tuple(spellings[0] for spellings in row)


def positions(call: str, body: str, count: int) -> Mapping[str, int]:
    """Return the position of each parameter by each of its spellings; empty for an unknown call.

    If `-X raw` hides the deciding constant, only those with the same position for every operation.
    """
    rows = table().rows
    row = _row(call, body)
    if row not in rows:
        return _NOTHING
    deciding = table().deciding.get(call)
    if deciding is None or count >= len(rows[row]) or deciding.search(body, 0, _MOST_TEXT):
        return _positions(row)
    others = (one for one in rows if one.startswith(f"{call}:") and len(rows[one]) == count)
    return dict(set(_positions(row).items()).intersection(*(_positions(one).items() for one in others)))


def _row(call: str, body: str) -> str:
    deciding = table().deciding.get(call)
    constant = deciding.search(body, 0, _MOST_TEXT) if deciding is not None else None
    row = f"{call}:{constant[0]}" if constant is not None else call
    return row if row in table().rows else call


@cache  # only for existing rows, so bounded
def _positions(row: str) -> Mapping[str, int]:
    parameters = table().rows[row]
    found = {spellings[0]: place for place, spellings in enumerate(parameters)}
    for place, spellings in enumerate(parameters):
        for spelling in spellings[1:]:
            found.setdefault(spelling, place)
    spelled = dict(found)
    for name, stands_for in table().everyday:
        first = next((spelled[one] for one in stands_for if one in spelled), None)
        if first is not None:
            found.setdefault(name, first)
    return MappingProxyType(found)
