"""Address lookups: mappings, their files, and files that were truncated."""

from __future__ import annotations

from test_process_table import FORK, kernel_of

from tracediag.kernel import Kernel, apply
from tracediag.reading import read

OPEN = 'openat(AT_FDCWD, "/srv/a", O_RDWR) = 3'
MAP = "mmap(NULL, 8192, PROT_READ, MAP_SHARED, 3, 0) = 0x7000"


def test_a_mapping_keeps_its_file_when_the_number_is_closed() -> None:
    (process,) = kernel_of(OPEN, MAP, "close(3) = 0").processes
    mapping = process.space.find(0x7000 + 8191)
    assert mapping is not None
    assert mapping.file is not None
    assert mapping.file.path == "/srv/a"
    assert process.space.find(0x7000 + 8192) is None


def test_anonymous_memory_and_annotated_descriptors() -> None:
    anonymous = "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x5000"
    annotated = "mmap(0x9000, 4096, PROT_READ, MAP_PRIVATE, 4</srv/b, c>, 0x1000) = 0x9000"
    (process,) = kernel_of(anonymous, annotated).processes
    files = [mapping.file is not None for mapping in process.space.mappings.values()]
    assert files == [False, True]


def test_the_munmap_of_an_address_is_found() -> None:
    (process,) = kernel_of(OPEN, MAP, "munmap(0x8000, 4096) = 0").processes
    assert process.space.unmapped(0x7000) is None
    unmap = process.space.unmapped(0x8000)
    assert unmap is not None
    assert unmap.line == 3
    assert process.space.unmapped(0x8000, since=3) is None


def test_fork_copies_the_mappings_and_exec_drops_them() -> None:
    parent, child = kernel_of(
        f"1 {OPEN}", f"1 {MAP}", f"1 {FORK} = 2", "2 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0xa000"
    ).processes
    assert (set(parent.space.mappings), set(child.space.mappings)) == ({0x7000}, {0x7000, 0xA000})
    (process,) = kernel_of(OPEN, MAP, 'execve("/bin/true", ["true"], 0x7ff0 /* 2 vars */) = 0').processes
    assert process.space.mappings == {}


def test_cuts_of_a_file_by_descriptor_path_and_open() -> None:
    kernel = kernel_of(
        OPEN,
        "ftruncate(3, 4096) = 0",
        'truncate("/srv/a", 100) = 0',
        'openat(AT_FDCWD, "/srv/a", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 4',
        'openat(AT_FDCWD, "/srv/other", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 5',
    )
    file = kernel.processes[0].table.open[3].file
    assert [(cut.length, cut.hits(file)) for cut in kernel.cuts] == [(4096, True), (100, True), (0, True), (0, False)]


def test_what_an_overview_leaves_out_is_not_followed() -> None:
    kernel = Kernel()
    kernel.left_out = frozenset({"mmap"})
    for event in read([f"{line}\n" for line in (OPEN, MAP)]):
        apply(kernel, event)
    (process,) = kernel.processes
    assert process.table.get(3) is not None
    assert process.space.find(0x7000) is None
