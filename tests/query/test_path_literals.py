"""The text that a path must show to match an expression: calls without it are not parsed."""

import pytest

from tracediag.overviews.searching.search import Searching
from tracediag.query import compile_query
from tracediag.query.literals import literal_of


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (r"\.so(\.\d+)*$", ".so"),
        ("^/etc/.*passwd", "passwd"),
        (r"\.conf$", ".conf"),
        ("plugin", "plugin"),
        ("a|b", ""),
        ("ab?c", ""),
        ("a+b", ""),
        ("[ab]c", ""),
        ("(?i)etc", ""),
        (r"(\.\d+)*", ""),
        (r"\d", ""),
        (r"\.\.", ""),
    ],
)
def test_the_literal_of_a_pattern(pattern: str, literal: str) -> None:
    assert literal_of(pattern) == literal


def test_a_path_in_hexadecimal_or_in_the_note_of_its_directory_is_found() -> None:
    lines = [
        'open("\\x2f\\x61\\x2e\\x73\\x6f", O_RDONLY) = 3\n',
        'openat(AT_FDCWD</x.so>, "y", O_RDONLY) = 4\n',
        'open("/b.txt", O_RDONLY) = 5\n',
    ]
    found = Searching(lines, compile_query(r'path ~ "\.so"'))
    assert [match.calls[0].line for match in found] == [1, 2]
