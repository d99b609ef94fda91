"""A library that the loader has found and cannot load is not missing."""

from __future__ import annotations

from tracediag.api import analyze

STARTED = 'execve("./m", ["./m"], 0x7ffe /* 3 vars */) = 0'
MISSED = 'openat(AT_FDCWD, "/srv/lib/x86_64/libzed.so", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)'
FOUND = 'openat(AT_FDCWD, "/srv/lib/libzed.so", O_RDONLY|O_CLOEXEC) = 3'
REFUSED = "mmap(0x7f49, 4096, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3, 0x1000) = -1 EPERM (x)"
SAID = 'write(2, "./m: error while loading shared libraries: libzed.so: {}\\n", 90) = 90'
EXITED = "exit_group(127) = ?"
GONE = "+++ exited with 127 +++"


def findings(*lines: str) -> list[str]:
    return [finding.name for finding in analyze([f"{line}\n" for line in lines]).findings]


def test_a_library_on_a_noexec_mount_is_not_missing() -> None:
    said = SAID.format("failed to map segment from shared object")
    assert findings(STARTED, MISSED, FOUND, REFUSED, "close(3) = 0", said, EXITED, GONE) == ["noexec-mount"]


def test_a_library_that_is_no_library_is_not_missing() -> None:
    said = SAID.format("file too short")
    assert findings(STARTED, MISSED, FOUND, 'read(3, "junk\\n", 832) = 5', "close(3) = 0", said, EXITED, GONE) == []


def test_a_library_in_no_directory_is_missing() -> None:
    said = SAID.format("cannot open shared object file")
    found = findings(STARTED, MISSED, MISSED.replace("/x86_64", ""), said, EXITED, GONE)
    assert found[0] == "shared-library-missing"
