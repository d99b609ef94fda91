"""Parses by the tables of a grammar: an LALR(1) automaton whose lexer looks only for what may come next.

At each state no text can begin with two of the terminals allowed there, so the first that matches is the right one.
Each terminal is compiled when it is first looked for: a short trace needs few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tracediag.languages.tables import Tables

END = "$END"
"""The terminal after the last one of a text."""

Maker = Callable[[list[Any], int, int], Any]
"""Makes the value of a rule from those of its children; also given where its text begins and ends."""


class Token(NamedTuple):
    """A terminal in a text."""

    name: str
    text: str
    start: int
    end: int


class UnexpectedError(ValueError):
    """A text leaves the language."""

    def __init__(self, place: int, expected: frozenset[str], *, is_known: bool) -> None:
        """Set where, as an index.

        Args:
            place: the index in the text.
            expected: the terminals that may stand there.
            is_known: whether any terminal of the language stands there instead, or the text ends.
        """
        super().__init__(f"at {place}")
        self.place = place
        self.expected = expected
        self.is_known = is_known


class TooDeepError(ValueError):
    """A text nests deeper than a parser is to follow."""


class Machine:
    """The parser of one language."""

    def __init__(self, tables: Tables, makers: Mapping[str, Maker], flags: int = 0, deepest: int = 1000) -> None:
        """Prepare to parse.

        Args:
            tables: those of the grammar.
            makers: by name of a rule or of its alternative.
            flags: those of `re`, for all terminals.
            deepest: how many symbols may be open at a time.
        """
        self.tables = tables
        self._flags = flags
        self._deepest = deepest
        # Rules without a maker only group others: their value is that of their child, or their children.
        self._make = [makers.get(each.make) for each in tables.productions]
        self._matches: dict[str, Callable[[str, int], re.Match[str] | None]] = {}
        self._allowed: dict[int, tuple[str, ...]] = {}

    def parse(self, text: str) -> Any:
        """Return the value of a text. Raises `UnexpectedError` and `TooDeepError`."""
        run = _Run(self.tables, self._make, self._deepest)
        at = 0
        while (token := self._token(run.state, text, at)) is not None:
            at = token.end
            if token.name in self.tables.ignored:
                continue
            if not run.take(token):
                raise self._unexpected(run, text, token.start)
        if at == len(text) and run.finish(at):
            return run.value
        raise self._unexpected(run, text, at)

    def allowed(self, state: int) -> tuple[str, ...]:
        """Return the terminals that may come next at a state, those that are ignored among them."""
        found = self._allowed.get(state)
        if found is None:
            here, ignored = self.tables.states[state], self.tables.ignored
            found = tuple(name for name in self.tables.terminals if name in here or name in ignored)
            self._allowed[state] = found
        return found

    def _token(self, state: int, text: str, at: int) -> Token | None:
        matches = self._matches
        for name in self.allowed(state):
            match = matches.get(name) or self._compiled(name)
            found = match(text, at)
            if found is not None:
                return Token(name, found[0], at, found.end())
        return None

    def _compiled(self, name: str) -> Callable[[str, int], re.Match[str] | None]:
        match = self._matches[name] = re.compile(self.tables.terminals[name], self._flags).match
        return match

    def _unexpected(self, run: _Run, text: str, place: int) -> UnexpectedError:
        known = place == len(text) or any(
            (self._matches.get(name) or self._compiled(name))(text, place) is not None for name in self.tables.terminals
        )
        names = [name for name in (*self.allowed(run.state), END) if name not in self.tables.ignored]
        expected = filter(run.may_take, names) if known else (name for name in names if name != END)
        return UnexpectedError(place, frozenset(expected), is_known=known)


class _Run:
    """The stacks of the automaton while it parses one text."""

    def __init__(self, tables: Tables, make: list[Maker | None], deepest: int) -> None:
        self._tables = tables
        self._deepest = deepest
        self._make = make
        self._stack = [tables.start]
        self._values: list[Any] = []
        self._starts: list[int] = []
        """Where the text of each value begins."""
        self._end = 0
        """Where the last token ends."""

    @property
    def state(self) -> int:
        """The current state."""
        return self._stack[-1]

    @property
    def value(self) -> Any:
        """The value of all that was taken."""
        return self._values[-1]

    def take(self, token: Token) -> bool:
        """Take the next terminal; return whether it may stand here."""
        states, stack = self._tables.states, self._stack
        while (action := states[stack[-1]].get(token.name)) is not None:
            if action >= 0:
                if len(stack) > self._deepest:
                    raise TooDeepError
                stack.append(action)
                self._values.append(token)
                self._starts.append(token.start)
                self._end = token.end
                return True
            self._reduce(~action, token.start)
        return False

    def finish(self, at: int) -> bool:
        """Take the end of the text; return whether it may end here."""
        tables, stack = self._tables, self._stack
        while (action := tables.states[stack[-1]].get(END)) is not None and action < 0:
            self._reduce(~action, at)
            if stack[-1] == tables.end:
                return True
        return False

    def may_take(self, name: str) -> bool:
        """Return whether a terminal may come next; the state alone allows some that its context does not."""
        states, stack = self._tables.states, list(self._stack)
        while (action := states[stack[-1]].get(name)) is not None:
            if action >= 0:
                return True
            production = self._tables.productions[~action]
            del stack[len(stack) - production.length :]
            stack.append(states[stack[-1]][production.origin])
            if stack[-1] == self._tables.end:
                return True
        return False

    def _reduce(self, number: int, at: int) -> None:
        """Replace the right side of a production by its value."""
        production, make = self._tables.productions[number], self._make[number]
        first = len(self._values) - production.length
        parts = self._values[first:]
        start = self._starts[first] if production.length else at
        del self._values[first:], self._starts[first:], self._stack[first + 1 :]
        children: list[Any] = []
        for place in production.kept:
            if place in production.spliced:
                children += parts[place]
            else:
                children.append(parts[place])
        if production.is_transparent and len(children) == 1:
            value = children[0]
        else:
            value = children if make is None else make(children, start, self._end)
        self._stack.append(self._tables.states[self._stack[-1]][production.origin])
        self._values.append(value)
        self._starts.append(start)
