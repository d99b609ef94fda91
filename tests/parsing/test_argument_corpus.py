"""Both parsers give equal values on recordings of other versions of strace, in the folder TRACEDIAG_CORPUS."""

import os
from pathlib import Path

import pytest

from tracediag.parsing import ArgumentError, parse_strict
from tracediag.parsing.calls import Book
from tracediag.reading import read
from tracediag.trace.events import Syscall

CORPUS = os.environ.get("TRACEDIAG_CORPUS")
LARGEST = 1 << 20


def recordings():
    found = Path(CORPUS).rglob("*") if CORPUS else []
    return sorted(path for path in found if path.suffix in {".txt", ".trace", ".xz"} and path.stat().st_size < LARGEST)


@pytest.mark.skipif(CORPUS is None, reason="TRACEDIAG_CORPUS names no folder")
@pytest.mark.parametrize("path", recordings(), ids=str)
def test_each_body_has_equal_values_both_ways(path):
    book = Book()
    for event in read(path):
        if isinstance(event, Syscall) and event.returned:
            try:
                values = parse_strict(event.body)
            except ArgumentError:
                continue
            assert book.parser_for(event.name)(event.body) == values
