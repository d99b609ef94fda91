"""Conditions that are always true, or can never match, by what their comparisons say of the same names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import msgspec

from tracediag.checking.agreement import conflict
from tracediag.query.nodes import Both, Comparison, Condition, Either, Not, Reports, place_of

_MOST_CASES = 256
"""Cases of a condition that are compared; one with more is taken to be possible."""

Atom = tuple[Comparison | Reports, bool]
"""A comparison, and whether it has to be true or false."""
Case = tuple[Atom, ...]
"""What has to hold together."""


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong with a part of a query."""

    place: int
    """The index in the text of the query."""
    message: str


class Judge:
    """Judges the conditions of one query."""

    def __init__(self, text: str, lets: Mapping[str, Condition]) -> None:
        """Set the text and its named parts."""
        self._text = text
        self._lets = lets

    def flaws(self, condition: Condition) -> Iterator[Flaw]:
        """Yield the innermost parts that can never be true, or are always."""
        inner = [flaw for part in _parts_of(condition) for flaw in self.flaws(part)]
        if inner:
            yield from inner
        elif (cases := self._cases(condition, wanted=True)) is not None and (why := self._impossible(cases)):
            yield Flaw(place_of(condition), f"this can never match: {why}")
        elif (cases := self._cases(condition, wanted=False)) is not None and (why := self._impossible(cases)):
            yield Flaw(place_of(condition), "this is true of every call")

    def _cases(self, condition: Condition, *, wanted: bool) -> list[Case] | None:
        """Return the cases in which a condition is true, or false; None if there are too many."""
        match condition:
            case Not(part):
                return self._cases(part, wanted=not wanted)
            case Both(parts) | Either(parts):
                together = isinstance(condition, Both) is wanted
                found: list[Case] = [()] if together else []
                for part in parts:
                    cases = self._cases(part, wanted=wanted)
                    if cases is None:
                        return None
                    found = [(*one, *other) for one in found for other in cases] if together else found + cases
                    if len(found) > _MOST_CASES:
                        return None
                return found
            case Comparison(operator="", operand=operand) if operand.name in self._lets:
                return self._cases(self._lets[operand.name], wanted=wanted)
            case Comparison() | Reports():
                return [((condition, wanted),)]

    def _impossible(self, cases: list[Case]) -> str:
        """Return why no case is possible, "" if one is."""
        reasons = list(map(self._conflict, cases))
        return next((reason for reason in reasons if reason), "") if all(reasons) else ""

    def _conflict(self, case: Case) -> str:
        """Return why a case is impossible: by one comparison alone, by two, or by all of them; "" if it is possible."""
        if conflict(self._text, case) is None:
            return ""
        for size in (1, 2):
            for some in combinations(case, size):
                reason = conflict(self._text, some)
                if reason is not None:
                    said = " and ".join(f"`{self._said(atom)}`" for atom in some)
                    known = f"{said} exclude each other" if size > 1 else said
                    return f"{known}: {reason}" if reason else known
        return "its comparisons exclude each other"

    def _said(self, atom: Atom) -> str:
        node, wanted = atom
        return f"{'' if wanted else 'not '}{self._text[node.place : node.end]}"


def _parts_of(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case Both(parts) | Either(parts):
            return parts
        case Not(part):
            return _parts_of(part)  # what is wrong with the part is said of its opposite
        case _:
            return ()
