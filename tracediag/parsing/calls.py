"""One parser per call name, with the shapes of arguments seen for that call."""

from __future__ import annotations

from tracediag.parsing.lists import LONG, Lists, Read
from tracediag.parsing.shapes import Key, Shape, compiled, outline
from tracediag.parsing.strict import ArgumentError, template_of
from tracediag.parsing.template import evaluate
from tracediag.parsing.tolerant import parse_tolerant
from tracediag.trace.events import Parser
from tracediag.trace.values import Value

SHORT = 128
"""Bodies up to this length are cached with their values: signal masks, limits and flags repeat constantly."""
MAX_KNOWN = 256
MAX_CALLS = 1024
MAX_SHAPES_OF_A_CALL = 48
MAX_SHAPES = 4096
MAX_KEYS = 16384
"""Shapes seen once that are kept; compiling takes a millisecond or more, so it waits for the second such body."""


class Book:
    """Everything learned. Bounded: when full it is cleared, and shapes still in use are learned again."""

    def __init__(self) -> None:
        self.parsers: dict[str, Parser] = {}
        self.lists: list[list[Shape]] = []
        self.shapes = 0
        self.seen: set[tuple[str, Key]] = set()
        self._lists = Lists(self._reader("[item]"))

    def parser_for(self, name: str) -> Parser:
        """Return the parser of one call, with the shapes of that call alone."""
        found = self.parsers.get(name)
        if found is None:
            if len(self.parsers) >= MAX_CALLS:
                name = ""  # one for all names beyond: no kernel has so many calls
            found = self.parsers.setdefault(name, self._parser(name))
        return found

    def _parser(self, name: str) -> Parser:
        read, lists = self._reader(name), self._lists
        known: dict[str, tuple[Value, ...]] = {}

        def parse(body: str) -> tuple[Value, ...]:
            short = len(body) <= SHORT
            if short and (values := known.get(body)) is not None:
                return values
            try:
                values = (lists.read(body, read) if len(body) > LONG else None) or read(body)
            except ArgumentError:
                values = parse_tolerant(body)
            if short:
                if len(known) >= MAX_KNOWN:
                    known.clear()
                known[body] = values
            return values

        return parse

    def _reader(self, name: str) -> Read:
        """Return the function that parses the bodies of one call by its shapes, or else by the grammar."""
        shapes: list[Shape] = []
        self.lists.append(shapes)

        def read(body: str) -> tuple[Value, ...]:
            for position, (fullmatch, build) in enumerate(shapes):
                match = fullmatch(body)
                if match is not None:
                    if position:
                        shapes.insert(0, shapes.pop(position))
                    return build(*match.groups())
            return self._learn(name, body, shapes)

        return read

    def _learn(self, name: str, body: str, shapes: list[Shape]) -> tuple[Value, ...]:
        template = template_of(body)
        found = outline(body, template)
        if found is not None:
            key = (name, found.key)
            if key in self.seen:
                self._keep(compiled(found), shapes)
            else:
                self._note(key)
        values: tuple[Value, ...] = evaluate(template)
        return values

    def _note(self, key: tuple[str, Key]) -> None:
        if len(self.seen) >= MAX_KEYS:
            self.seen.clear()
        self.seen.add(key)

    def _keep(self, shape: Shape, shapes: list[Shape]) -> None:
        if self.shapes >= MAX_SHAPES:
            for one in self.lists:
                one.clear()
            self.shapes = 0
        if len(shapes) >= MAX_SHAPES_OF_A_CALL:
            shapes.pop()
        else:
            self.shapes += 1
        shapes.insert(0, shape)


_BOOK = Book()


def parser_for(name: str) -> Parser:
    """Return the parser for the arguments of one call: `parse_arguments`, faster the more of that call it has seen."""
    return _BOOK.parser_for(name)
