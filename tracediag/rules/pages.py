"""Takes a rule's page apart: its title, its sections, the first sentence, the traces and their marks.

A fence of the kind `trace` holds a recorded trace that shows the fault, `trace quiet` one that does not. In the first,
a line `#^ TD103 step 2` says that the record above it is the second step of the finding: it is for the tests, not for
readers.
"""

from __future__ import annotations

import re

import msgspec

from tracediag.trace.patterns import lazy_pattern

FENCE = lazy_pattern(r"^```trace( quiet)?\n((?>(?!```).*\n)*+)```$", re.MULTILINE)
"""A trace: whether it is quiet, and its lines with their marks."""
MARK = lazy_pattern(r"#\^ (?P<code>[A-Z]++\d++) step (?P<step>\d+)(?P<rest>.*)")
"""A line in a trace that says which step the line above it is."""

_MARK_LINE = lazy_pattern(r"^#\^ [A-Z]++\d++ step .*\n", re.MULTILINE)
_HEADING = lazy_pattern(r"^## (.*)\n", re.MULTILINE)
_SENTENCE = lazy_pattern(r"(?s).+?[.!?](?=\s+[A-Z`*\"(]|\s*$)")
_FINDS = "What it finds"
_FIRST = ("Why it is a bug", "How to fix it", "When it is fine")
_LAST = ("A trace that shows it", "A trace that does not")


class Page(msgspec.Struct, frozen=True):
    """The page of a rule."""

    title: str
    """As it stands in the first line: "double-close (TD303)"."""
    opening: str
    """The text between the title and the first heading."""
    sections: dict[str, str]
    """The text below each heading, in the order of the page, marks among it."""

    @property
    def first_sentence(self) -> str:
        """What the rule finds, in one sentence on one line; Markdown, with its full stop."""
        opening = " ".join((self.opening or self.sections.get(_FINDS, "")).partition("\n\n")[0].split())
        found = _SENTENCE.match(opening)
        return found.group() if found else opening

    @property
    def help(self) -> str:
        """What it is, why it is a bug and how to fix it, without the traces; Markdown."""
        told = [f"## {name}\n{self.sections[name].strip()}" for name in _FIRST[:2] if name in self.sections]
        return "\n\n".join([self.first_sentence, *told] if self.first_sentence else told)

    def for_readers(self, summary: str) -> str:
        """Return the page as Markdown in the order of the questions that a reader has, without marks.

        Args:
            summary: what stands below the title where the page says nothing there: a page of a user's own need not.

        What it is, why, the cure, when it is fine; then the details, and the traces last.
        """
        told = self.first_sentence.split()
        details = [
            name
            for name in self.sections
            if name not in (*_FIRST, *_LAST) and not (name == _FINDS and self.sections[name].split() == told)
        ]
        order = [name for name in (*_FIRST, *details, *_LAST) if name in self.sections]
        below = "".join(f"\n## {name}\n{self.sections[name].strip()}\n" for name in order)
        return without_marks(f"# {self.title}\n\n{self.opening or self.first_sentence or summary}\n{below}")


def parse_page(text: str) -> Page:
    """Take the text of a page apart."""
    above, *rest = _HEADING.split(text)
    title, _, opening = above.strip().partition("\n")
    sections = {name: body.strip("\n") for name, body in zip(rest[::2], rest[1::2], strict=True)}
    return Page(title.strip().removeprefix("# "), opening.strip(), sections)


def without_marks(text: str) -> str:
    """Return the text without the lines that mark steps."""
    return _MARK_LINE.sub("", text)
