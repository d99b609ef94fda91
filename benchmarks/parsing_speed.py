"""How fast arguments are parsed: by learned shapes, and by lark alone, in one run.

python benchmarks/parsing_speed.py TRACE [EVENTS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

from tracediag.parsing import ArgumentError, parse_strict
from tracediag.parsing.calls import Book
from tracediag.reading import read
from tracediag.trace.events import Syscall

Call = tuple[str, str]
SAMPLE = 5000
"""Bodies for lark: enough to know its pace, few enough to wait for."""


def main(path: str, events: int = 250_000) -> None:
    """Print the speed of both ways, in bodies per second."""
    calls = [(event.name, event.body) for event in islice(read(path), events) if isinstance(event, Syscall)]
    sample = calls[:: max(1, len(calls) // SAMPLE)]
    parse_strict("0")  # builds the grammar
    book = Book()

    def by_shape(name: str, body: str) -> None:
        book.parser_for(name)(body)

    learning = pace(calls, by_shape)
    learned = pace(calls, by_shape)
    lark = pace(sample, by_lark)
    print(f"{len(calls)} bodies, {book.shapes} shapes")
    print(f"shapes, while learning {learning:10,.0f}/s")
    print(f"shapes, learned        {learned:10,.0f}/s")
    print(f"lark alone             {lark:10,.0f}/s, {learned / lark:.0f} times slower")


def by_lark(_name: str, body: str) -> None:
    """Parse by the grammar; text outside it takes time as well."""
    with suppress(ArgumentError):
        parse_strict(body)


def pace(calls: list[Call], parse: Callable[[str, str], None]) -> float:
    """Return how many bodies are parsed per second."""
    start = time.perf_counter()
    for name, body in calls:
        parse(name, body)
    return len(calls) / (time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
