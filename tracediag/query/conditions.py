"""A condition compiled to a closure, with the calls and errors that can match: the index of a query."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tracediag.query.comparisons import Test, argument_is, has, is_in, is_not, text_is, texts, under
from tracediag.query.compiled import Compiled, Leaf, both, either, negated
from tracediag.query.easing import eased
from tracediag.query.errors import QueryError, nearest, similar
from tracediag.query.expressions import danger
from tracediag.query.history import EARLIER, known
from tracediag.query.literals import literal_of, texts_of
from tracediag.query.names import CLASSES, NAMES, Name
from tracediag.query.nodes import Both, Comparison, Condition, Either, Literal, Not, Operand, Reports, place_of
from tracediag.query.stand_ins import SAID, Kinds
from tracediag.query.types import OPERATORS, Type, pattern_of, quantity, value_of
from tracediag.trace.events import Syscall
from tracediag.trace.parameters.table import calls, positions, table
from tracediag.trace.records import Signal
from tracediag.trace.values import number_of

MOST_SUBJECT = 4096
"""Characters of a text that an expression is searched in: the time may grow with the square of them."""
DEEPEST = 60
"""How deep `not` and parentheses may nest."""
MOST_LEAVES = 10_000
"""Comparisons of a query; a named part counts each time that it is used, so that parts cannot double forever."""
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Compiler:
    """Compiles the conditions of one query."""

    def __init__(self, text: str, *, sequence: bool) -> None:
        """Set the text, for the places of errors, and whether `reports it` has a meaning."""
        self._text = text
        self._sequence = sequence
        self.lets: dict[str, Compiled] = {}

    def define(self, name: str, place: int, condition: Condition) -> None:
        """Compile a named part.

        Raises:
            QueryError: if the name is taken.
        """
        if known(name) is not None or name in self.lets or "." in name:
            raise QueryError(self._text, place, f"{name} is taken; another name is needed for this part")
        self.lets[name] = self.compile(condition)

    def compile(self, condition: Condition, depth: int = 0) -> Compiled:
        """Compile a condition.

        Raises:
            QueryError: if a name is unknown or a comparison is impossible.
        """
        if depth > DEEPEST:
            raise QueryError(self._text, 0, f"the query nests deeper than {DEEPEST} levels")
        match condition:
            case Both(parts):
                return self._both(parts, self._each(parts, depth + 1))
            case Either(parts):
                return either(self._each(parts, depth + 1))
            case Not(part):
                return negated(self.compile(part, depth + 1))
            case Reports(place):
                return self._reports(place)
            case Comparison():
                return self._comparison(condition)

    def _both(self, parts: tuple[Condition, ...], compiled: list[Compiled]) -> Compiled:
        about: Kinds | None = None
        for part, each in zip(parts, compiled, strict=True):
            if about is not None and each.kinds is not None and not about & each.kinds:
                said, other = (" or ".join(sorted(SAID[kind] for kind in some)) for some in (each.kinds, about))
                raise QueryError(
                    self._text, place_of(part), f"this is about {said}, and what stands before it is about {other}"
                )
            about = each.kinds if about is None else about if each.kinds is None else about & each.kinds
        return both(compiled)

    def _each(self, parts: Iterable[Condition], depth: int) -> list[Compiled]:
        compiled: list[Compiled] = []
        leaves = 0
        for part in parts:
            compiled.append(self.compile(part, depth))
            leaves += len(compiled[-1].leaves)
            if leaves > MOST_LEAVES:
                raise QueryError(self._text, 0, f"the query has more than {MOST_LEAVES:,} comparisons")
        return compiled

    def _reports(self, place: int) -> Compiled:
        if not self._sequence:
            raise QueryError(self._text, place, "`reports it` needs a sequence: there is no object that `it` means")
        leaf = Leaf("reports it", lambda subject: subject.reported, lambda subject: subject.reported)
        return Compiled(leaf.test, model=True, leaves=(leaf,))

    def _comparison(self, node: Comparison) -> Compiled:
        if node.operator == "" and (part := self.lets.get(node.operand.name)) is not None:
            return part
        name = self.name(node.operand)
        self._check_operator(node, name)
        test = self._test(node, name)
        calls, errnos = self._index(node, name)
        leaf = Leaf(self._text[node.place : node.end], test, name.read, name.every)
        signals = self._signals(node, name)
        return Compiled(test, calls, errnos, name.model, (leaf,), texts_of(node, name), name.kinds, signals)

    def name(self, operand: Operand) -> Name:
        """Return what an operand reads.

        Raises:
            QueryError: if nothing is named so.
        """
        if operand.argument:
            if operand.name not in _parameters():
                hint = nearest(operand.name, _parameters())
                raise QueryError(self._text, operand.place, f"no call has an argument {operand.name!r}{hint}")
            return Name(f'arg("{operand.name}")', Type.ANY, "", lambda it: it.call.arg(operand.name))
        found = known(operand.name)
        if found is None:
            hint = similar(operand.name, [*NAMES, *EARLIER, *self.lets]) or "; `tracediag grep --names` lists them"
            raise QueryError(self._text, operand.place, f"nothing is named {operand.name}{hint}")
        return found

    def _check_operator(self, node: Comparison, name: Name) -> None:
        allowed = OPERATORS[name.type]
        if node.operator in allowed:
            return
        if node.operator == "":
            shown = " or ".join(allowed[:2])
            said = f"{name.name} is no condition; compare it: {name.name} {shown} ..."
            raise QueryError(self._text, node.place, said)
        if allowed == ("",):
            kind = "yes or no" if name.type is Type.TRUTH else "an earlier event"
            said = f"{name.name} is {kind}; write {name.name} or not {name.name} alone"
            raise QueryError(self._text, node.place, said)
        article = "an" if name.type in (Type.ERRNO, Type.ANY) else "a"
        kind = "a set of flags" if name.type is Type.FLAGS else f"{article} {name.type}"
        said = f"{name.name} is {kind}, which has no {node.operator}; it has {', '.join(allowed)}"
        raise QueryError(self._text, node.place, said)

    def _test(self, node: Comparison, name: Name) -> Test:
        read = name.read
        if node.operator == "":
            return lambda subject: bool(read(subject))
        if node.kind:
            return is_in(read, self._class(node, name))
        if node.operator == "~":
            return self._search(node.values[0], name)
        if node.operator == "under":
            return under(name, value_of(self._text, node.values[0], Type.TEXT, name.name))
        values = [value_of(self._text, value, name.type, name.name, name.words) for value in node.values]
        if node.operator == "has":
            return has(name, values[0])
        if node.operator in _ORDERED:
            return self._ordered(node, name, values[0])
        if name.type is Type.ANY:
            return argument_is(read, values, equal=node.operator != "!=")
        if name.type is Type.TEXT:
            return text_is(read, frozenset(values), equal=node.operator != "!=")
        return is_not(read, values[0]) if node.operator == "!=" else is_in(read, frozenset(values))

    def _class(self, node: Comparison, name: Name) -> frozenset[str]:
        place = node.end - len(node.kind)
        if name.type is not Type.CALL:
            raise QueryError(self._text, place, f"{node.kind} is a class of calls; write call in {node.kind}")
        found = CLASSES.get(node.kind)
        if found is None:
            hint = nearest(node.kind, CLASSES) or f"; there are {', '.join(CLASSES)}"
            raise QueryError(self._text, place, f"no class of calls is named {node.kind}{hint}")
        return found.calls

    def _ordered(self, node: Comparison, name: Name, value: Any) -> Test:
        if not isinstance(value, int | float):
            raise QueryError(self._text, node.values[0].place, f"{node.operator} compares numbers, not {value!r}")
        compare, read = _ORDERED[node.operator], name.read
        if name.type is Type.ANY:
            return lambda it: (number := number_of(read(it))) is not None and compare(number, value)
        return lambda it: (number := read(it)) is not None and compare(number, value)

    def _search(self, literal: Literal, name: Name) -> Test:
        try:
            pattern = eased(pattern_of(literal))
            search = re.compile(pattern).search
        except re.error as error:
            place = literal.place + 1 + (error.pos or 0)
            raise QueryError(self._text, place, f"this is no regular expression: {error.msg}") from None
        except (OverflowError, RecursionError):
            raise QueryError(self._text, literal.place, "this regular expression is too large") from None
        if (why := danger(pattern)) is not None:
            raise QueryError(self._text, literal.place, why)
        read = texts(name)
        needed = literal_of(pattern_of(literal)) if name.name == "path" else ""
        if needed:  # nearly all calls lack it, and need not be parsed
            return lambda it: (
                (needed in (body := it.call.body) or "\\x" in body)
                and any(search(text[:MOST_SUBJECT]) is not None for text in read(it))
            )
        return lambda it: any(search(text[:MOST_SUBJECT]) is not None for text in read(it))

    def _index(self, node: Comparison, name: Name) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """Return the calls and the errors with which a comparison can be true."""
        if node.operator in ("==", "in") and name.name in ("call", "errno"):
            values = self._class(node, name) if node.kind else None
            if values is None:
                values = frozenset(value_of(self._text, value, name.type, name.name) for value in node.values)
            return (values, None) if name.type is Type.CALL else (None, values)
        if name.kinds is not None and Syscall not in name.kinds:
            return frozenset(), frozenset()
        return (None if name.calls is None else name.calls()), None

    def _signals(self, node: Comparison, name: Name) -> frozenset[str] | None:
        """Return the signals with which a comparison can be true; None if any can."""
        if name.name == "signal" and node.operator in ("==", "in"):
            return frozenset(value.text for value in node.values)
        return None if name.kinds is None or Signal in name.kinds else frozenset()


def seconds_of(text: str, literal: Literal) -> float:
    """Return the time of `within`.

    Raises:
        QueryError: if the quantity is no time.
    """
    if literal.text.endswith("iB"):
        raise QueryError(text, literal.place, f"within takes a time, such as 10s, not {literal.text}")
    return quantity(literal)


def _parameters() -> frozenset[str]:
    """Return every name of an argument, in every spelling."""
    if not _KNOWN:
        _KNOWN.update(each.name for each in table().everyday)
        _KNOWN.update(name for call in calls() for name in positions(call, "", 0))
        _KNOWN.update(spelling for row in table().rows.values() for place in row for spelling in place)
    return frozenset(_KNOWN)


_KNOWN: set[str] = set()
