from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from serverprocess import ServerProcess, Start, started


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers that are stopped after the test."""
    with ExitStack() as stack:

        def begin(fault: str | None = None, *arguments: str) -> ServerProcess:
            return stack.enter_context(started(*(["--fault", fault] if fault else []), *arguments))

        yield begin


@pytest.fixture
def server(start: Start) -> ServerProcess:
    """A correct server."""
    return start()
