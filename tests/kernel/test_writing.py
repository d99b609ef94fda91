"""The known state of the data written to a file."""

from __future__ import annotations

from test_process_table import FORK, kernel_of

OPEN = 'openat(AT_FDCWD, "/srv/a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3'


def test_a_file_knows_its_last_write_and_how_much_it_took() -> None:
    (process,) = kernel_of(
        OPEN,
        'write(3, "abc", 3) = 3',
        'write(3, "defg", 4) = 2',
        'write(3, "fg", 2) = -1 ENOSPC (No space left on device)',
    ).processes
    file = process.table.open[3].file
    assert file.taken == 5
    assert file.written is not None
    assert file.written.line == 3


def test_copies_inside_the_kernel_and_of_children_count() -> None:
    kernel = kernel_of(
        f"1 {OPEN}",
        f"1 {FORK} = 2",
        "2 copy_file_range(4, NULL, 3, NULL, 100, 0) = 100",
        "2 sendfile(3, 4, NULL, 10) = 10",
        '1 write(3, "", 0) = 0',
    )
    file = kernel.processes[0].table.open[3].file
    assert (file.taken, file.written and file.written.line) == (110, 4)


def test_a_socket_counts_for_itself() -> None:
    (process,) = kernel_of("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3", 'write(3, "abc", 3) = 3').processes
    assert process.table.open[3].file.written is None


def test_an_fsync_shows_what_it_is_made_on() -> None:
    (process,) = kernel_of("fdatasync(7</srv/b>) = 0").processes
    assert process.table.open[7].file.path == "/srv/b"
