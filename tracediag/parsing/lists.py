"""Parses long lists of structures item by item: the descriptors of a poll, the buffers of a writev.

A list of a hundred items has too many tokens for a shape, and each length would need a shape of its own; lark takes
milliseconds for it. If each item is a structure, the list is in the language exactly if each item alone is: `{` and
`}` are tokens of their own, and inside them the grammar does not depend on the outside. So the call is parsed with the
first item in place of the list, and each other item as a list of one; most have been seen before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import msgspec

from tracediag.parsing.grammar import REGEX_FLAGS, terminal_patterns
from tracediag.parsing.strict import MAX_LENGTH
from tracediag.trace.values import Annotated, Array, Symbol, Value

LONG = 300
"""Shorter bodies have few items."""
_DEPTH = 4
_ENDS = ("]", ", ...]")
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 128

Read = Callable[[str], tuple[Value, ...]]
"""Returns the values of a body; raises ArgumentError."""


class _Forms(msgspec.Struct, frozen=True):
    """The expressions, built from the terminals of the grammar."""

    head: re.Pattern[str]
    """Plain arguments, and the bracket of a list whose first item is a structure."""
    item: re.Pattern[str]
    """A structure, and the comma before the next one, if one follows."""


@cache
def _forms() -> _Forms:
    patterns = terminal_patterns()
    text = "|".join(f"(?>{patterns[name]})" for name in ("STRING", "CHAR", "NOTE", "COMMENT"))
    plain = rf"""[^{{}}"'</]++|{text}|/(?!\*)|<<"""
    inside = rf"(?>{plain})*+"
    for _ in range(_DEPTH - 1):
        inside = rf"(?>{plain}|\{{{inside}\}})*+"
    note = patterns["NOTE"]
    head = rf"(?>(?>[a-z_]++=)?+[-\w]++(?>{note})?+, )*+(?>[a-z_]++=)?+\[(?=\{{)"
    return _Forms(re.compile(head, REGEX_FLAGS), re.compile(rf"(\{{{inside}\}})(, (?=\{{))?", REGEX_FLAGS))


class Lists:
    """Parses long lists with the shapes that a parser knows."""

    def __init__(self, read_item: Read) -> None:
        """Set the function that parses a list of one item."""
        self._read_item = read_item
        self._known: dict[str, Value] = {}

    def read(self, body: str, read: Read) -> tuple[Value, ...] | None:
        """Return the values of a body with a long list, or None if it has none. Raises ArgumentError."""
        forms = _forms()
        head = forms.head.match(body)
        if head is None or len(body) > MAX_LENGTH:
            return None
        items: list[str] = []
        end = head.end()
        while (found := forms.item.match(body, end)) is not None:
            items.append(found[1])
            end = found.end()
            if found[2] is None:
                break
        if len(items) < 2 or not body.startswith(_ENDS, end):
            return None
        values = read(f"{head[0]}{items[0]}{body[end:]}")
        place = next(place for place, value in enumerate(values) if not _is_plain(value))
        first = values[place]
        if type(first) is not Array:  # `[{...}, {...}] => [{...}]`
            return None
        array = Array((*first.items, *[self._item(item) for item in items[1:]]), first.complete)
        return (*values[:place], array, *values[place + 1 :])

    def _item(self, item: str) -> Value:
        value = self._known.get(item)
        if value is None:
            (array,) = self._read_item(f"[{item}]")
            assert type(array) is Array
            (value,) = array.items
            if len(item) <= _LONGEST_KNOWN:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[item] = value
        return value


def _is_plain(value: Value) -> bool:
    """Whether the value may be in the head of a body."""
    if type(value) is Annotated:
        value = value.value
    return type(value) is int or type(value) is Symbol
