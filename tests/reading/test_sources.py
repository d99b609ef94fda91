"""Where a trace comes from, and the errors for sources that are not traces."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from tracediag.reading import NotUnderstoodError, Reader, UnreadableError, read
from tracediag.trace.events import Event, Syscall

TRACE = b'close(3) = 0\nopenat(AT_FDCWD, "/\xc3\xa9\xff", O_RDONLY) = 4\n'


def names(events: object) -> list[str]:
    return [event.name for event in events]  # type: ignore[attr-defined]


@pytest.mark.parametrize("compress", [lambda data: data, gzip.compress, lzma.compress, bz2.compress, zstd.compress])
def test_compressions(tmp_path: Path, compress: object) -> None:
    path = tmp_path / "trace"
    data = compress(TRACE * 30_000)  # type: ignore[operator]
    path.write_bytes(data)
    seen: list[int] = []
    reader = Reader(path, progress=seen.append)
    events = list(reader)
    assert len(events) == reader.counts.lines == 60_000
    assert events[1].body == 'AT_FDCWD, "/\u00e9\udcff", O_RDONLY'  # type: ignore[attr-defined]
    assert seen == sorted(seen)
    assert seen[-1] == len(data)


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf" + TRACE, TRACE.replace(b"\n", b"\r\n"), TRACE.rstrip(b"\n"),
     "\ufeffclose(3) = 0\r\nclose(4) = 0".encode("utf-16-le")],
)  # fmt: skip
def test_marks_and_line_ends(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "trace"
    path.write_bytes(data)
    reader = Reader(path)
    assert names(reader)[0] == "close"
    assert (reader.counts.lines, reader.counts.calls, reader.counts.not_understood) == (2, 2, 0)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(gzip.compress(TRACE))

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert names(read("-")) == ["close", "openat"]
    assert not Stdin.buffer.closed


def test_nul_bytes_in_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(b'write(1, "a\\0b", 3a\x00b)     = 3\n' + TRACE)
    assert names(read(path)) == ["write", "close", "openat"]


def test_a_line_over_several_pieces(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    long = b'write(1, "' + b"x" * 1_000_000 + b'", 1000000) = 1000000\n'
    path.write_bytes(long + TRACE + long)
    reader = Reader(path)
    assert names(reader) == ["write", "close", "openat", "write"]
    assert reader.counts.lines == 4


def test_an_endless_line(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(TRACE + b'write(1, "' + b"x" * (12 << 20) + b'", 1000000) = 1000000\n' + TRACE)
    reader = Reader(path)
    list(reader)
    assert reader.counts.lines == 5
    assert sum(reader.counts.kinds.values()) == 5


def message(path: Path | str) -> str:
    with pytest.raises(UnreadableError) as caught:
        list(read(path))
    assert isinstance(caught.value, OSError)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_errors_name_the_path_and_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    assert message(path) == f"{path}: no such file or directory"
    assert message("") == "'': the name of the trace is empty"
    assert message(tmp_path) == f"{tmp_path}: this is a directory, not a trace"
    path.write_bytes(b"")
    assert message(path) == f"{path}: the file is empty"
    path.write_bytes(bytes(range(256)) * 50)
    assert message(path) == f"{path}: this is a binary file, not a trace"
    path.write_text('#include <unistd.h>\n\nint main(void)\n{\n    close(3);\n    return read(0, "", 5);\n}\n')
    assert message(path) == f"{path}: not a single line of it is strace output; it looks like a source file in C"
    path.write_bytes(gzip.compress(TRACE * 1000)[:12])
    expected = "not a single line of it is strace output: the gzip stream ends in the middle; read up to line 0"
    assert message(path) == f"{path}: {expected}"
    path.write_bytes(gzip.compress(b""))
    assert message(path) == f"{path}: not a single line of it is strace output"


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:  # root may read everything, so this cannot be tested
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert message("some.strace") == "some.strace: permission denied"


def test_a_file_that_grows_is_read_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(TRACE)
    reader = Reader(path)
    with path.open("ab") as log:
        log.write(TRACE)
    assert len(list(reader)) == 2


def test_lines_need_no_file() -> None:
    events: list[Event] = list(read(iter(["close(3) = 0", "close(4) = 0\n"])))
    assert all(isinstance(event, Syscall) for event in events)
    assert list(read([])) == []
    assert len(list(read(["nothing of strace"]))) == 1


def test_strict() -> None:
    events = read(["close(3) = 0", "nothing of strace", "close(4) = 0"], strict=True)
    assert names([next(events)]) == ["close"]
    with pytest.raises(NotUnderstoodError, match="line 2: not understood: nothing of strace") as caught:
        next(events)
    assert caught.value.line == 2
