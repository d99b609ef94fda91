"""Hides secrets in text and in records of strace, and counts what it has hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tracediag.redaction.arguments import secrets_of
from tracediag.redaction.literals import Literal, literals_in
from tracediag.redaction.shapes import EVERYWHERE, IN_DATA, MARK, Secret, secrets_in, variables_in
from tracediag.trace.patterns import lazy_pattern

_SHORTEST, _MOST = 8, 64
"""A secret of at least so many characters is hidden wherever it stands from then on; so many are remembered."""
_PASSED_ON = frozenset(("argument", "authorization", "assignment", "url", "token", "login"))
_COMMON = lazy_pattern(r"(?:[A-Za-z]*+|[0-9a-fx.]{1,16}+)\Z")
"""A word, a time or an address: such text stands in a record for other things, too."""


class Redactor:
    """Hides secrets; what it has found in one text it also hides in the next ones."""

    def __init__(self, *, keep_length: bool = False) -> None:
        """With `keep_length` a mark is as long as what it hides: the counts and results of calls stay true."""
        self._keep_length = keep_length
        self._known: dict[str, None] = {}
        self.counts: Counter[str] = Counter()
        """How many secrets were hidden, by kind."""

    def again(self) -> Redactor:
        """Return one that has found the same, and has counted nothing yet."""
        redactor = Redactor(keep_length=self._keep_length)
        redactor._known = dict(self._known)
        return redactor

    def text(self, text: str) -> str:
        """Hide the secrets in a text of any form: a sentence, output of a program, a record."""
        return self._without(text, [*secrets_in(text), *variables_in(text, every=False), *self._quoted(text)])

    def line(self, line: str) -> str:
        """Hide the secrets in a record of strace; its syntax, and all that does not stand in quotes, stays."""
        return self._without(line, [*secrets_in(line, EVERYWHERE), *self._quoted(line)])

    def argv(self, words: Sequence[str]) -> tuple[str, ...]:
        """Hide the secrets in the arguments of a command."""
        hidden = dict(secrets_of(words))
        return tuple(
            self._without(word, [Secret(hidden[place], len(word), "argument")])
            if hidden.get(place, len(word)) < len(word)
            else self.text(word)
            for place, word in enumerate(words)
        )

    def _quoted(self, line: str) -> Iterator[Secret]:
        """Yield the secrets in the literals of a record, at their places in the line."""
        literals = list(literals_in(line)) if '"' in line else []
        for literal, _ in literals:
            found = (*secrets_in(literal.text, IN_DATA), *variables_in(literal.text, every=False))
            yield from _placed(literal, found)
        if "execve" in line:
            argv, environment = _vectors(line, literals)
            for place, start in secrets_of([literal.text for literal in argv]):
                yield from _placed(argv[place], [Secret(start, len(argv[place].text), "argument")])
            for literal in environment:
                yield from _placed(literal, variables_in(literal.text, every=True))

    def _without(self, text: str, secrets: list[Secret]) -> str:
        for known in self._known:
            start = text.find(known)
            while start >= 0:
                secrets.append(Secret(start, start + len(known), "repeated"))
                start = text.find(known, start + len(known))
        if not secrets:
            return text
        pieces, end = [], 0
        for secret in _joined(secrets):
            hidden = text[secret.start : secret.end]
            pieces += [text[end : secret.start], self._mark(hidden)]
            end = secret.end
            self._count(secret.kind, hidden)
        return "".join((*pieces, text[end:]))

    def _mark(self, hidden: str) -> str:
        if not self._keep_length:
            return MARK
        length = len(Literal(hidden, 0).text)
        return f"{MARK[:-1]}{'*' * (length - len(MARK))}>" if length >= len(MARK) else "*" * length

    def _count(self, kind: str, hidden: str) -> None:
        self.counts[kind] += 1
        if kind in _PASSED_ON and len(hidden) >= _SHORTEST and len(self._known) < _MOST and not _COMMON.match(hidden):
            self._known[hidden] = None


def _placed(literal: Literal, secrets: Iterable[Secret]) -> Iterator[Secret]:
    for secret in secrets:
        yield Secret(literal.place(secret.start), literal.place(secret.end), secret.kind)


def _joined(secrets: Iterable[Secret]) -> Iterator[Secret]:
    """Yield the places in order, those that overlap as one."""
    last: Secret | None = None
    for secret in sorted(secrets):
        if secret.start == secret.end:
            continue
        if last is None or secret.start >= last.end:
            if last is not None:
                yield last
            last = secret
        elif secret.end > last.end:
            last = Secret(last.start, secret.end, last.kind)
    if last is not None:
        yield last


def _vectors(line: str, literals: Sequence[tuple[Literal, int]]) -> tuple[list[Literal], list[Literal]]:
    """Return the arguments and the environment of an execve: the literals of its first and second list."""
    vectors: tuple[list[Literal], list[Literal]] = [], []
    lists, end = 0, line.find("execve")
    for literal, start in literals:
        if start < end:
            continue
        lists += line.count("[", end, start)
        if lists in (1, 2):
            vectors[lists - 1].append(literal)
        end = literal.place(len(literal.text)) + 1
    return vectors
