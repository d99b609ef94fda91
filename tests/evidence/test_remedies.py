"""What helps against a failed call fits the call, not the errno alone; every error comes with a manual page."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding


def found(call: str, error: str) -> Finding:
    """Diagnose a program that reports one failed call and exits."""
    lines = [
        'execve("./job", ["./job"], 0x7ffe0 /* 2 vars */) = 0',
        f"{call} = -1 {error}",
        f'write(2, "job: {error.partition("(")[2][:-1]}\\n", 40) = 40',
        "exit_group(1) = ?",
        "+++ exited with 1 +++",
    ]
    (finding,) = analyze([f"{line}\n" for line in lines], select=["failed-call-behind-exit"]).findings
    return finding


@pytest.mark.parametrize(
    ("call", "error", "fix", "why"),
    [
        (
            'openat(AT_FDCWD, "a/b", O_RDONLY)',
            "ENOENT (No such file or directory)",
            "create a/b,",
            "path_resolution(7)",
        ),
        (
            'openat(AT_FDCWD, "a/b", O_WRONLY|O_CREAT, 0644)',
            "ENOENT (No such file or directory)",
            "directory",
            "open(2)",
        ),
        ('mkdir("a/b", 0755)', "ENOENT (No such file or directory)", "create the directory", "mkdir(2)"),
        ('rename("a", "/mnt/a")', "EXDEV (Invalid cross-device link)", "copy a and", "rename(2)"),
        ("setsid()", "EDOOFUS (Programming error)", "without setsid", "setsid(2)"),
    ],
)
def test_remedy(call: str, error: str, fix: str, why: str) -> None:
    finding = found(call, error)
    assert fix in finding.fix
    assert why in finding.why


def test_a_failure_is_named_with_its_object_and_error() -> None:
    assert found('mkdir("a/b", 0755)', "EACCES (Permission denied)").title == (
        "mkdir of a/b fails with EACCES (permission denied): the directory a is not writable for the user of the"
        " process; job exits with status 1"
    )


def test_a_descriptor_stands_in_for_a_path() -> None:
    assert "listen on fd 3 fails with" in found("listen(3, 5)", "EADDRINUSE (Address already in use)").title
