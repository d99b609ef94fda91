"""A command that is in no directory of PATH, in a script that carries on without it."""

from __future__ import annotations

import pytest

from tracediag.api import analyze

STARTED = 'execve("/bin/sh", ["sh", "job.sh"], 0x7ffe /* 2 vars */) = 0'
MISSED = 'newfstatat(AT_FDCWD, "{}/backup-tool", 0x7ffe, 0) = -1 ENOENT (No such file or directory)'
SAID = ('write(2{}, "job.sh: 2: ", 11) = 11', 'write(2{}, "backup-tool: not found", 22) = 22')
DONE = ("exit_group(0) = ?", "+++ exited with 0 +++")


def findings(to: str) -> list[tuple[str, str]]:
    missed = [MISSED.format(place) for place in ("/usr/bin", "/bin")]
    lines = [STARTED, *missed, *(said.format(to) for said in SAID), *DONE]
    return [(str(found.severity), found.title) for found in analyze([f"{line}\n" for line in lines]).findings]


@pytest.mark.parametrize(("to", "severity"), [("", "warning"), ("</dev/null>", "note")])
def test_a_script_without_its_command_has_lost_something_unless_it_expects_that(to: str, severity: str) -> None:
    ((found, title),) = findings(to)
    assert found == severity
    assert "backup-tool is in none of the 2 directories searched" in title


def test_the_linker_names_a_library_by_its_option() -> None:
    missed = [
        f'openat(AT_FDCWD, "{place}/libnosuch.a", O_RDONLY) = -1 ENOENT (No such file or directory)'
        for place in ("/lib64", "/usr/lib64", "/usr/local/lib")
    ]
    others = [
        f'openat(AT_FDCWD, "/usr/lib/other{number}.a", O_RDONLY) = -1 ENOENT (No such file or directory)'
        for number in range(100)
    ]
    said = 'write(2, "ld: cannot find -lnosuch: No such file or directory\\n", 52) = 52'
    lines = [STARTED.replace("sh", "ld"), *missed, said, *others, "exit_group(1) = ?", "+++ exited with 1 +++"]
    (finding,) = analyze([f"{line}\n" for line in lines]).findings
    assert "libnosuch.a is in none of the 3 directories searched" in finding.title
