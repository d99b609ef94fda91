"""A refusal names the mode and owner that an earlier stat of the path, or of its directory, has shown."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding

STARTED = 'execve("./app", ["./app"], 0x7ffe /* 2 vars */) = 0'
USER = "geteuid() = 1000"
LOOKED = 'newfstatat(AT_FDCWD, "d/key", {st_mode=S_IFREG|0600, st_size=2, ...}, 0) = 0'
IN_FULL = LOOKED.replace("st_size", "st_nlink=1, st_uid=0, st_gid=33, st_size")
ABOVE = 'statx(AT_FDCWD, "d", 0, STATX_ALL, {stx_mask=STATX_ALL, stx_mode=S_IFDIR|0755, stx_uid=0, stx_gid=0}) = 0'
SOCKET = 'stat("run/app.sock", {st_mode=S_IFSOCK|0660, st_size=0, ...}) = 0'
OPENED = 'openat(AT_FDCWD, "d/key", O_RDONLY) = -1 EACCES (Permission denied)'
MADE = 'mkdir("d/new", 0777) = -1 EACCES (Permission denied)'
CONNECTED = 'connect(3, {sa_family=AF_UNIX, sun_path="run/app.sock"}, 15) = -1 EACCES (Permission denied)'
END = ('write(2, "app: Permission denied\\n", 23) = 23', "exit_group(1) = ?", "+++ exited with 1 +++")


def finding_of(*lines: str) -> Finding:
    (found,) = analyze([f"{line}\n" for line in (STARTED, *lines, *END)]).findings
    return found


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((USER, LOOKED, OPENED), ": user 1000 lacks permission for the file; d/key has mode 0600;"),
        ((USER, IN_FULL, OPENED), "d/key has mode 0600, owner 0 and group 33;"),
        ((USER, ABOVE, MADE), "the directory d is not writable for user 1000; d has mode 0755, owner 0 and group 0;"),
        ((USER, SOCKET, CONNECTED), "user 1000 lacks write permission on the socket; run/app.sock has mode 0660;"),
    ],
)
def test_what_was_seen_is_named(lines: tuple[str, ...], words: str) -> None:
    found = finding_of(*lines)
    assert words in found.title
    assert found.steps[0].line == 3


@pytest.mark.parametrize(
    "lines",
    [
        (USER, OPENED),
        (USER, LOOKED.replace("d/key", "d/other"), OPENED),
        (USER, LOOKED.replace("AT_FDCWD", "5"), OPENED),
        ("geteuid() = 0", LOOKED, OPENED),
    ],
)
def test_nothing_is_said_of_what_was_not_seen_or_does_not_decide(lines: tuple[str, ...]) -> None:
    assert "has mode" not in finding_of(*lines).title
