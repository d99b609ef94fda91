"""The files of `strace -ff`: merged as strace-log-merge does, or one after the other."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tracediag.reading import ProcessSet, Reader, UnreadableError, grouped
from tracediag.trace.events import Call
from tracediag.trace.records import Record

FILES = {
    "t.7": "10:00:00.100000 clone(child_stack=NULL, flags=SIGCHLD) = 12\n"
    "10:00:00.400000 close(3) = 0\n > libc(close) [0x1]\n",
    "t.12": "10:00:00.200000 close(4) = 0\n10:00:00.500000 +++ exited with 0 +++\n",
    "t.9": "10:00:00.300000 close(5) = 0\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "t.12.notes").write_text("no trace\n")
    (tmp_path / "t").with_suffix(".x1").write_text("no trace\n")
    return tmp_path


def told(source: object) -> list[tuple[int | None, str]]:
    return [(event.pid, event.text) for event in Reader(source) if isinstance(event, Call | Record)]  # type: ignore[arg-type, attr-defined]


ORDER = [
    (7, "clone(child_stack=NULL, flags=SIGCHLD) = 12"),
    (12, "close(4) = 0"),
    (9, "close(5) = 0"),
    (7, "close(3) = 0"),
    (None, " > libc(close) [0x1]"),
    (12, "+++ exited with 0 +++"),
]


def test_the_prefix_stands_for_the_set(folder: Path) -> None:
    reader = Reader(folder / "t")
    events = list(reader)
    assert [event.line for event in events] == [1, 2, 3, 4, 5, 6]
    assert [pid for pid, _ in told(folder / "t")] == [7, 12, 9, 7, None, 12]
    assert [text for _, text in told(folder / "t")] == [text for _, text in ORDER]
    assert reader.counts.lines == 6


def test_its_files_are_grouped_and_others_left_alone(folder: Path) -> None:
    paths = [str(folder / name) for name in ("t.7", "t.12.notes", "t.9", "t.12")]
    both = grouped(paths)
    assert isinstance(both[0], ProcessSet)
    assert both[1:] == [str(folder / "t.12.notes")]
    assert [text for _, text in told(both[0])] == [text for _, text in ORDER]


def test_a_name_given_twice_is_not_a_set(folder: Path) -> None:
    assert grouped(["a.strace", "a.strace", str(folder / "t.7")]) == ["a.strace", "a.strace", str(folder / "t.7")]


def test_a_single_file_is_not_a_set(folder: Path) -> None:
    assert grouped([str(folder / "t.7")]) == [str(folder / "t.7")]


def test_without_times_each_process_is_read_completely(tmp_path: Path) -> None:
    (tmp_path / "t.20").write_text("close(1) = 0\nclose(2) = 0\n")
    (tmp_path / "t.3").write_text("close(3) = 0\n")
    found = ProcessSet("t", [str(tmp_path / "t.20"), str(tmp_path / "t.3")])
    assert found.merged is False
    assert told(found) == [(3, "close(3) = 0"), (20, "close(1) = 0"), (20, "close(2) = 0")]


def test_members_may_be_compressed_and_progress_counts_all(tmp_path: Path) -> None:
    sizes = 0
    for pid in (5, 6):
        data = gzip.compress(f"1795404819.{pid}00000 close({pid}) = 0\n".encode())
        (tmp_path / f"t.{pid}.gz").write_bytes(data)
        sizes += len(data)
    seen: list[int] = []
    reader = Reader(tmp_path / "t", progress=seen.append)
    assert [event.pid for event in reader] == [5, 6]
    assert seen[-1] == sizes


def test_no_set_at_all(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file"):
        Reader(tmp_path / "t")
