"""What the model keeps of reads: the last that brought data, and the files of which the first brought none."""

from __future__ import annotations

from tracediag.api import read
from tracediag.kernel import Kernel, apply

_OPENED = 'openat(AT_FDCWD, "/etc/app.json", O_RDONLY) = 3'


def _after(*lines: str) -> Kernel:
    kernel = Kernel()
    for event in read([f"{line}\n" for line in lines]):
        apply(kernel, event)
    return kernel


def _empty(*lines: str) -> list[str | None]:
    return [file.path for file in _after(*lines).processes[0].found_empty]


def test_first_read_of_nothing() -> None:
    assert _empty(_OPENED, 'read(3, "", 4096) = 0') == ["/etc/app.json"]


def test_file_at_its_end_is_not_empty() -> None:
    assert _empty(_OPENED, 'read(3, "{}", 4096) = 2', 'read(3, "", 4096) = 0') == []


def test_failed_read_brings_nothing() -> None:
    failed = "read(3, 0x7ffc, 4096) = -1 EIO (Input/output error)"
    assert _empty(_OPENED, failed, 'read(3, "", 4096) = 0') == ["/etc/app.json"]


def test_read_past_the_end_of_a_pipe_is_no_file() -> None:
    assert _empty("pipe([3, 4]) = 0", 'read(3, "", 4096) = 0') == []


def test_the_source_of_a_copy_has_brought_data() -> None:
    copied = 'openat(AT_FDCWD, "/srv/copy", O_WRONLY) = 4', "copy_file_range(3, NULL, 4, NULL, 9, 0) = 9"
    held = _after(_OPENED, *copied).processes[0].table.get(3)
    assert held is not None
    assert held.file.got is not None
    assert _empty(_OPENED, *copied, 'read(3, "", 4096) = 0') == []


def test_files_found_empty_are_bounded() -> None:
    lines = [line for _ in range(40) for line in (_OPENED, 'read(3, "", 4096) = 0', "close(3) = 0")]
    assert len(_empty(*lines)) == 16
