"""A file without an interpreter line that a shell reads as a script: what it then reports is nonsense."""

from __future__ import annotations

from tracediag.api import analyze

REFUSED = 'execve("./tool", ["./tool"], 0x7ffe /* 2 vars */) = -1 ENOEXEC (Exec format error)'
STARTED = 'execve("/bin/env", ["env", "./tool"], 0x7ffe /* 2 vars */) = 0'
SHELL = 'execve("/bin/sh", ["/bin/sh", "./tool"], 0x7ffe /* 2 vars */) = 0'
MISSED = 'newfstatat(AT_FDCWD, "{}/import", 0x7ffe, 0) = -1 ENOENT (No such file or directory)'
NOT_FOUND = 'write(2, "./tool: 1: import: not found\\n", 29) = 29'
NONSENSE = 'write(2, "./tool: 2: Syntax error: word unexpected\\n", 42) = 42'
END = ("exit_group(2) = ?", "+++ exited with 2 +++")
MISSES = [MISSED.format(place) for place in ("/usr/bin", "/bin")]


def first_of(*lines: str) -> tuple[str, int]:
    finding = analyze([f"{line}\n" for line in lines]).findings[0]
    return finding.name, finding.primary.line


def test_the_refused_execve_is_the_reason_for_the_syntax_error() -> None:
    assert first_of(STARTED, REFUSED, SHELL, *MISSES, NOT_FOUND, NONSENSE, *END) == ("exec-format", 2)


def test_a_script_without_that_line_may_lack_a_command() -> None:
    assert first_of(STARTED, REFUSED, SHELL, *MISSES, NOT_FOUND, *END) == ("failed-call-behind-exit", 5)


def test_a_syntax_error_of_a_script_that_was_asked_for_is_its_own() -> None:
    findings = analyze([f"{line}\n" for line in (STARTED, SHELL, NONSENSE, *END)]).findings
    assert all(found.name != "exec-format" for found in findings)
