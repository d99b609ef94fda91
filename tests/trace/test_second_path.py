"""The path after a directory is read without parsing the arguments, and is what parsing them gives."""

from __future__ import annotations

import pytest

from tracediag.reading import read
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

BODIES = [
    'AT_FDCWD, "/etc/passwd", O_RDONLY',
    'AT_FDCWD</srv/a b>, "x", O_RDONLY',
    '3</x>, "", {st_mode=S_IFREG|0644, ...}, AT_EMPTY_PATH',
    '-100, "é", 0',
    'AT_FDCWD, "a\\n\\"b", O_RDONLY',
    'AT_FDCWD, "/very/lo"..., O_RDONLY',
    'dirfd=AT_FDCWD, pathname="/named", flags=O_RDONLY',
    '3<socket:["x", "y"]>, "z", 0',
    "AT_FDCWD, NULL, O_RDONLY",
    "AT_FDCWD",
]


def call_of(body: str) -> Syscall:
    (call,) = (event for event in read([f"openat({body}) = 3\n"]) if isinstance(event, Syscall))
    return call


@pytest.mark.parametrize("body", BODIES)
def test_it_is_what_parsing_gives(body: str) -> None:
    parsed = text_of(call_of(body).arg(1))
    assert call_of(body).path(1) == (None if parsed is None else str(parsed))


@pytest.mark.parametrize("body", BODIES[:4])
def test_a_plain_one_is_not_parsed(body: str) -> None:
    call = call_of(body)
    assert call.path(1) is not None
    assert call._args is None
