"""The texts of a page's head: what a finding says, with parts of what matched in braces.

{errno} {path} {fd.peer} {process.comm} {arg("cmd")}    what a query reads of the call, by the same names
{1.path}                 of the first call of a sequence: there the call alone counts, not the model
{object}                 the object that the calls of a sequence share, or the one that a call is made on
{count}                  how many calls the match stands for
{fd.peer|its peer}       the words after the bar where the trace does not show it
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import msgspec

from tracediag.evidence.named_paths import paths_of
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.query import Match, QueryError, compile_field
from tracediag.query.names import Name, shown
from tracediag.query.subject import Subject
from tracediag.trace.numbers import identifier
from tracediag.trace.patterns import lazy_pattern

_PART = lazy_pattern(r"\{(?:([0-9]{1,2})\.)?([^{}|]++)(?:\|([^{}]*+))?\}")
_UNKNOWN = "(not shown)"
MOST_TEXT, MOST_PARTS = 1_000, 20
"""Characters and parts of a text: each match fills it in."""
_LONGEST = 400
"""Characters of one part: a path may be longer, and a title stays readable."""

Part = Callable[[Match, Action | None], str]
"""Returns a part of a text, for a match and the action that completed it."""


class Template(msgspec.Struct, frozen=True):
    """A text with parts."""

    pieces: tuple[str | Part, ...]

    def of(self, match: Match, action: Action | None) -> str:
        """Return the text of a match; the action that completed it is None where only the end of the trace did."""
        return "".join(piece if isinstance(piece, str) else piece(match, action) for piece in self.pieces)


def template(text: str, steps: int) -> Template:
    """Take a text apart; `steps` is the number of calls that a match has.

    Raises:
        ValueError: if it is too long, or a part names nothing that a query reads, or a step that does not exist.
    """
    if len(text) > MOST_TEXT or text.count("{") > MOST_PARTS:
        raise ValueError(f"a text has at most {MOST_TEXT:,} characters and {MOST_PARTS} parts in braces")
    pieces: list[str | Part] = []
    end = 0
    for found in _PART.finditer(text):
        pieces += [text[end : found.start()], _part(found[0], found[1], found[2].strip(), found[3], steps)]
        end = found.end()
    rest = text[end:]
    if "{" in "".join(piece for piece in (*pieces, rest) if isinstance(piece, str)):
        raise ValueError(f"a brace that names nothing: {text}")
    return Template((*pieces, rest))


def object_of(match: Match, action: Action | None) -> str:
    """Return the object of a match: the one that its calls share, or what its call is made on or names."""
    call = match.calls[-1]
    if match.object:
        return match.object
    held = Subject(call, action).descriptor
    if held is not None:
        return describe(held)
    return next(iter(paths_of(call)), call.name)


def _part(written: str, step: str | None, name: str, fallback: str | None, steps: int) -> Part:
    unknown = _UNKNOWN if fallback is None else fallback
    if step is None and name == "object":
        return object_of
    if step is None and name == "count":
        return lambda match, _action: f"{match.count:,}"
    try:
        field = compile_field(name)
    except QueryError as error:
        raise ValueError(f"{written}: {error.message}") from None
    if step is None:
        return lambda match, action: _read(field, match, action) or unknown
    place = identifier(step) or 0
    if not 1 <= place <= steps:
        raise ValueError(f"{written}: a match has {steps} {'call' if steps == 1 else 'calls'}")
    if field.model:
        raise ValueError(f"{written}: {name} is read from the model, which is known only at the last call")
    return lambda match, _action: _words(field.read(Subject(match.calls[place - 1]))) or unknown


def _read(field: Name, match: Match, action: Action | None) -> str:
    """Return what a field reads of the last call, or of the object that all calls share."""
    return _words(field.read(Subject(match.calls[-1], action, shared=_held(match.key))))


def _held(key: Hashable) -> Descriptor | None:
    match key:
        case Descriptor():
            return key
        case OpenFile():
            return next(iter(key.holders), None)
        case _:
            return None


def _words(value: Any) -> str:
    return "" if value is None else shown(value)[:_LONGEST]
