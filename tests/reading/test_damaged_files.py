"""Truncated, padded or damaged files are read as far as possible, and the damage is reported."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from tracediag.api import analyze
from tracediag.commands.errors import ExitCode
from tracediag.reading import ProcessSet, Reader, UnreadableError, lines
from tracediag.report import Look, formatter
from tracediag.trace.events import Syscall

Compress = Callable[[bytes], bytes]
KINDS: dict[str, Compress] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": partial(bz2.compress, compresslevel=1),  # of small blocks
    "zstd": zstd.compress,
}
LINES = 4_000


def trace_of(count: int) -> bytes:
    """Return long lines that compress badly, so that a file has many blocks."""
    random = Random(7)
    return b"".join(b'read(3, "%x", 256) = 256\n' % random.getrandbits(1024) for _ in range(count))


TRACE = trace_of(LINES)


@cache
def packed(kind: str) -> bytes:
    """Return the trace as a file of a kind, made once for all tests."""
    return KINDS[kind](TRACE)


def read_back(path: Path, data: bytes) -> Reader:
    path.write_bytes(data)
    reader = Reader(path)
    assert list(reader)
    return reader


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_file_that_is_cut_off(tmp_path: Path, kind: str) -> None:
    data = packed(kind)
    reader = read_back(tmp_path / "trace", data[: len(data) * 3 // 4])
    assert LINES // 2 < reader.counts.lines < LINES
    assert reader.damage == f"the {kind} stream ends in the middle; read up to line {reader.counts.lines:,}"


def test_a_file_that_is_damaged_in_the_middle(tmp_path: Path, kind: str) -> None:
    data = bytearray(packed(kind))
    middle, size = len(data) * 3 // 4, len(data) // 8  # large enough to contain the header of a zstd block
    data[middle : middle + size] = b"\xa5" * size
    reader = read_back(tmp_path / "trace", bytes(data))
    assert LINES // 2 < reader.counts.lines < LINES
    assert reader.damage is not None
    assert reader.damage.startswith(f"the {kind} stream is damaged (")
    assert reader.damage.endswith(f"; read up to line {reader.counts.lines:,}")


def test_a_second_member_that_is_cut_off(tmp_path: Path, kind: str) -> None:
    data = packed(kind)
    whole = read_back(tmp_path / "trace", data + data)
    assert (whole.counts.lines, whole.damage) == (2 * LINES, None)
    cut = read_back(tmp_path / "trace", data + data[: len(data) * 3 // 4])
    assert LINES * 3 // 2 < cut.counts.lines < 2 * LINES
    assert cut.damage is not None
    assert cut.damage.startswith(f"the {kind} stream ends in the middle")


def test_data_after_the_end_is_reported(tmp_path: Path, kind: str) -> None:
    path, data = tmp_path / "trace", packed(kind)
    padded = read_back(path, data + bytes(1000))
    assert (padded.counts.lines, padded.counts.not_understood) == (LINES, 0)
    assert padded.damage == f"1,000 zero bytes after the end of the {kind} stream were skipped"
    for garbage in (b"x", b"\0\0\0\0nothing of the kind\n" * 5000):
        followed = read_back(path, data + garbage)
        assert (followed.counts.lines, followed.counts.not_understood) == (LINES, 0)
        assert followed.damage == f"the data after the end of the {kind} stream is not {kind} and was not read"
    between = read_back(path, data + bytes(1000) + data)
    assert (between.counts.lines, between.damage) == (2 * LINES, None)


def test_a_file_cut_off_at_every_byte(tmp_path: Path, kind: str) -> None:
    path, data = tmp_path / "trace", KINDS[kind](b"close(3) = 0\n" * 3)
    for size in range(1, len(data)):
        path.write_bytes(data[:size])
        reader = Reader(path)
        try:
            assert all(reader)
        except UnreadableError:
            assert reader.counts.calls == 0
        else:
            assert reader.damage is not None


def test_strict_refuses_damage(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(gzip.compress(TRACE)[:-9])
    with pytest.raises(UnreadableError, match="the gzip stream ends in the middle; read up to line"):
        list(Reader(path, strict=True))


def test_the_report_shows_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(gzip.compress(TRACE)[:-9])
    report = analyze(path)
    assert report.input.damage is not None
    text = "".join(formatter("full", Look(colour=False, width=None, ascii_only=False)).report(report))
    assert f"damaged: {report.input.damage}\n" in text
    assert '"damage": "the gzip stream' in "".join(formatter("json").report(report))


def test_the_commands_tell_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tracediag.__main__ import main

    path = tmp_path / "trace"
    path.write_bytes(gzip.compress(TRACE)[:-9])
    said = f"tracediag: {path}: the gzip stream ends in the middle; read up to line "
    for command in ("analyze", "summary", "tree", "files", "peers"):
        assert main([command, str(path)]) == ExitCode.CLEAN
        assert said in capsys.readouterr().err
    assert main(["analyze", "--strict", str(path)]) == ExitCode.UNREADABLE
    assert said in capsys.readouterr().err


def test_members_of_a_set(tmp_path: Path) -> None:
    stamped = b"".join(b"17954048%02d.000000 close(3) = 0\n" % number for number in range(60))
    (tmp_path / "t.5").write_bytes(b"")
    (tmp_path / "t.6.gz").write_bytes(gzip.compress(stamped)[:-9])
    (tmp_path / "t.7").write_bytes(stamped)
    (tmp_path / "t.8.gz").write_bytes(gzip.compress(stamped)[:12])
    reader = Reader(tmp_path / "t")
    assert {event.pid for event in reader if isinstance(event, Syscall)} == {6, 7}
    assert isinstance(reader._source, ProcessSet)
    assert reader._source.merged
    assert reader.damage is not None
    assert "t.6.gz: the gzip stream ends in the middle; read up to line 60" in reader.damage
    assert "t.8.gz: the gzip stream ends in the middle; read up to line 0" in reader.damage


def test_a_set_of_empty_files(tmp_path: Path) -> None:
    for pid in (5, 6):
        (tmp_path / f"t.{pid}").write_bytes(b"")
    with pytest.raises(UnreadableError, match="all its files are empty"):
        Reader(tmp_path / "t")


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
@pytest.mark.parametrize("other", [b"\r", b"\r\n"])
def test_line_ends(tmp_path: Path, end: bytes, other: bytes) -> None:
    records = [b'1 10:00:00.000001 read(3, "a", 1) = 1', b"1 10:00:00.000002 close(3) = 0", b"1 +++ exited with 0 +++"]
    text = b"".join(record + (end if number % 5 else other) for number, record in enumerate(records * 3000))
    reader = read_back(tmp_path / "trace", text)
    assert (reader.counts.lines, reader.counts.calls, reader.counts.exits) == (9000, 6000, 3000)


def test_a_carriage_return_inside_a_line_ends_none(tmp_path: Path) -> None:
    reader = read_back(tmp_path / "trace", b'write(1, "50%\\r", 4\r50%\r) = 4\nclose(3) = 0\n' * 10)
    assert reader.counts.lines == 20


def test_a_device_without_end() -> None:
    with pytest.raises(UnreadableError, match="binary file"):
        list(Reader("/dev/zero"))


def test_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1 << 16)
    monkeypatch.setattr(lines, "ENDLESS", 1 << 20)
    head = b"close(3) = 0\nwrite(1, "
    long = read_back(tmp_path / "trace", head + b"x" * (1 << 18) + b") = 1\nclose(4) = 0\n")
    assert (long.counts.lines, long.counts.calls) == (3, 3)
    assert long.damage == "line 2 was shortened to 4 MiB"
    endless = read_back(tmp_path / "trace", head + b"x" * (1 << 22) + b") = 1\nclose(4) = 0\n")
    assert endless.counts.lines == 2
    assert endless.damage == "a line of more than 256 MiB has no end; read up to line 2"
