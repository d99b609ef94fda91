"""The texts of a page's head: what a finding says, with parts of what matched in braces.

{errno} {path} {fd.peer} {process.comm} {arg("cmd")}    what a query reads of the call, by the same names
{1.path}                 of the first call of a sequence: there the call alone counts, not the model
{object}                 the object that the calls of a sequence share, or the one that a call is made on
{count}                  how many calls the match stands for
{fd}                     the descriptor with what it refers to: fd 3 (/etc/hosts)
{fd.peer|its peer}       the words after the bar where the trace does not show it
{ to {fd.peer}}          words around parts, written only where the trace shows these
{to {fd.peer}|on {fd}}   the words after the bar otherwise
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import msgspec

from tracediag.evidence.named_paths import paths_of
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.describe import name as title_of
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.query import Match, QueryError, compile_field
from tracediag.query.names import Name, shown
from tracediag.query.stand_ins import StandIn
from tracediag.query.subject import Subject
from tracediag.trace.numbers import identifier
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import size

_PART = lazy_pattern(
    r"\{(?:([0-9]{1,2})\.)?([^{}|]++)(?:\|([^{}]*+))?\}"
    r"|\{((?>[^{}]*+\{[^{}]*+\})++[^{}]*+)\}"
)
"""A part in braces, and words in braces around parts."""
_BAR = lazy_pattern(r"\|(?![^{}]*+\})")
"""A bar that stands in no braces of its own."""
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
    return Template(_pieces(text, steps, _UNKNOWN))


def _pieces(text: str, steps: int, unknown: str) -> tuple[str | Part, ...]:
    pieces: list[str | Part] = []
    end = 0
    for found in _PART.finditer(text):
        step, name, fallback, phrase = found.groups()
        part = (
            _part(found[0], step, name.strip(), unknown if fallback is None else fallback, steps)
            if phrase is None
            else _phrase(phrase, steps)
        )
        pieces += [text[end : found.start()], part]
        end = found.end()
    pieces.append(text[end:])
    if any(isinstance(piece, str) and "{" in piece for piece in pieces):
        raise ValueError(f"a brace that names nothing: {text}")
    return tuple(piece for piece in pieces if piece)


def _phrase(text: str, steps: int) -> Part:
    """Return words that are written only where the trace shows every part in them; after a bar, others."""
    first, *others = _BAR.split(text)
    pieces, instead = _pieces(first, steps, ""), Template(_pieces("|".join(others), steps, _UNKNOWN))

    def of(match: Match, action: Action | None) -> str:
        said = [piece if isinstance(piece, str) else piece(match, action) for piece in pieces]
        return "".join(said) if all(said) else instead.of(match, action)

    return of


def object_of(match: Match, action: Action | None) -> str:
    """Return the object of a match: the one that its calls share, or what its call is made on or names."""
    call = match.calls[-1]
    if match.object:
        return match.object
    if isinstance(call, StandIn):
        return "" if action is None else process_name(action.process)
    held = Subject(call, action).descriptor
    if held is not None:
        return describe(held)
    return next(iter(paths_of(call)), call.name)


def _part(written: str, step: str | None, name: str, unknown: str, steps: int) -> Part:
    if step is None and name == "object":
        return object_of
    if step is None and name == "fd":
        return lambda match, action: _descriptor(match, action) or unknown
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
    return lambda match, _action: _words(field, Subject(match.calls[place - 1])) or unknown


def _read(field: Name, match: Match, action: Action | None) -> str:
    """Return what a field reads of the last call, or of the object that all calls share."""
    return _words(field, subject_of(match, action))


def _descriptor(match: Match, action: Action | None) -> str:
    """Return the descriptor of the last call for a title."""
    found = subject_of(match, action).descriptor
    return "" if found is None else title_of(found)


def subject_of(match: Match, action: Action | None) -> Subject:
    """Return what a page asks about: the last call of a match, with what its calls share."""
    return Subject(match.calls[-1], action, shared=held(match.key), end=match.end, excerpt=match.excerpt)


def held(key: Hashable) -> Descriptor | None:
    """Return the descriptor by which a query reads the object that the calls of a match share."""
    match key:
        case Descriptor():
            return key
        case OpenFile():
            return next(iter(key.holders), None)
        case _:
            return None


def _words(field: Name, subject: Subject) -> str:
    value = field.read(subject)
    if value is None:
        return ""
    if isinstance(value, int) and field.unit:
        return size(value) if field.unit == "bytes" else f"{value:,}"
    return shown(value)[:_LONGEST]
