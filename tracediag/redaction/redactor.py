"""Hides secrets in text and in records of strace, and counts what it has hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tracediag.redaction.arguments import secrets_of
from tracediag.redaction.known import Known
from tracediag.redaction.literals import LITERAL, Literal, literals_in
from tracediag.redaction.shapes import EVERYWHERE, IN_DATA, MARK, Secret, may_hold, secrets_in, variables_in
from tracediag.redaction.streams import Split


class Redactor:
    """Hides secrets; what it has found in one text it also hides in the next ones."""

    def __init__(
        self,
        *,
        keep_length: bool = False,
        known: Known | None = None,
        split: Mapping[int, Sequence[Split]] | None = None,
    ) -> None:
        """Make one that hides what it finds.

        Args:
            keep_length: a mark is as long as what it hides: the counts and results of calls stay true.
            known: secrets that were found already; those found from now on are added.
            split: by line of the trace, the parts of secrets in its record that it does not show to be ones.
        """
        self._keep_length = keep_length
        self._known = Known() if known is None else known
        self._split = {} if split is None else split
        self.counts: Counter[str] = Counter()
        """How many secrets were hidden, by kind."""

    def again(self) -> Redactor:
        """Return one that has found the same, and has counted nothing yet."""
        return Redactor(keep_length=self._keep_length, known=self._known, split=self._split)

    def learn(self, line: str) -> None:
        """Find the secrets in a record, to hide them elsewhere."""
        if may_hold(line):
            self._pass_on(line, [*secrets_in(line, EVERYWHERE), *self._quoted(line)])

    def step(self, line: str, number: int) -> str:
        """Hide the secrets in a record that stands at a line of the trace."""
        return self.line(line, self._split.get(number, ()))

    def text(self, text: str) -> str:
        """Hide the secrets in a text of any form: a sentence, output of a program, a record."""
        return self._without(text, [*secrets_in(text), *variables_in(text, every=False), *self._quoted(text)])

    def line(self, line: str, split: Sequence[Split] = ()) -> str:
        """Hide the secrets in a record of strace; its syntax, and all that does not stand in quotes, stays.

        `split` are the parts of secrets in it that only other records show to be ones.
        """
        return self._without(line, [*secrets_in(line, EVERYWHERE), *self._quoted(line), *_parts(line, split)])

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
        self._pass_on(text, secrets)
        secrets += self._known.places(text)
        for literal, _ in literals_in(text) if "\\" in text else ():
            if literal.is_escaped:
                secrets += _placed(literal, self._known.places(literal.text))
        if not secrets:
            return text
        pieces, end = [], 0
        for secret in _joined(secrets):
            hidden = text[secret.start : secret.end]
            pieces += [text[end : secret.start], self._mark(hidden)]
            end = secret.end
            self.counts[secret.kind] += 1
        return "".join((*pieces, text[end:]))

    def _pass_on(self, text: str, secrets: Iterable[Secret]) -> None:
        for secret in secrets:
            if secret.passed_on and secret.start < secret.end:
                is_cut = text.startswith('"...', secret.end)
                self._known.add(secret.kind, text[secret.start : secret.end], is_cut=is_cut)

    def _mark(self, hidden: str) -> str:
        if not self._keep_length:
            return MARK
        length = len(Literal(hidden, 0).text)
        return f"{MARK[:-1]}{'*' * (length - len(MARK))}>" if length >= len(MARK) else "*" * length


def _parts(line: str, split: Sequence[Split]) -> Iterator[Secret]:
    """Yield the places of the parts of secrets in a record, which may have been shortened."""
    literals = list(LITERAL.finditer(line)) if split else []
    for part in split:
        if part.literal < len(literals):
            start, end = literals[part.literal].span(1)
            yield Secret(min(start + part.start, end), min(start + part.end, end), part.kind, passed_on=False)


def _placed(literal: Literal, secrets: Iterable[Secret]) -> Iterator[Secret]:
    for secret in secrets:
        yield Secret(literal.place(secret.start), literal.place(secret.end), secret.kind, secret.passed_on)


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
            last = Secret(last.start, secret.end, last.kind, last.passed_on)
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
