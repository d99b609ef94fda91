"""Traces that are still being written: a pipe that pauses, a file that grows."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tracediag.reading import Followed, Reader, open_source
from tracediag.reading.sources import Stream
from tracediag.trace.events import Event, Syscall

PATIENCE = 20


def test_a_pipe_that_pauses_yields_its_events_without_delay() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as end, os.fdopen(writing, "wb", buffering=0) as feed:
        feed.write(b"close(3) = 0\n")
        events = iter(Reader(Stream("<pipe>", end)))  # type: ignore[arg-type]
        first = next(events)
        assert isinstance(first, Syscall)
        assert first.number(0) == 3
        feed.write(b"close(4) = 0\nclo")
        second = next(events)
        assert isinstance(second, Syscall)
        assert second.number(0) == 4
        feed.write(b"se(5) = 0\n")
        feed.close()
        assert [event.number(0) for event in events if isinstance(event, Syscall)] == [5]


def test_a_file_is_followed_until_stop_is_called(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("")
    source = Followed(path)
    seen: list[Event] = []
    came = threading.Semaphore(0)

    def read() -> None:
        for event in Reader(source):
            seen.append(event)
            came.release()

    reader = threading.Thread(target=read)
    reader.start()
    for number in (3, 4, 5):
        with path.open("a") as stream:
            stream.write(f"close({number}) = 0\n")
        assert came.acquire(timeout=PATIENCE)
    source.stop()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert [event.number(0) for event in seen if isinstance(event, Syscall)] == [3, 4, 5]


def test_what_is_there_is_read_after_the_stop(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("close(3) = 0\nclose(4) = 0")
    source = Followed(path)
    source.stop()
    assert len(list(Reader(source))) == 2


def test_a_plain_file_does_not_wait(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("close(3) = 0\n")
    assert list(open_source(path).pieces()) == ["close(3) = 0\n"]
