"""What shells and programs print between the records: only complete lines of a known form count."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.reading import read
from tracediag.reading.words import read_words
from tracediag.trace.records import NotUnderstood, Remark


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        ("Killed", "SIGKILL"),
        ("Segmentation fault (core dumped)", "SIGSEGV"),
        ("Bus error", "SIGBUS"),
        ("./run.sh: line 3:  1234 Killed                  ./worker -v", "SIGKILL"),
        ("bash: line 1: 20377 Aborted                 (core dumped) strace ./x", "SIGABRT"),
        ("bash: 13024 Segmentation fault      sh -c ./x", "SIGSEGV"),
        ("[1]+  Floating point exception(core dumped) ./div", "SIGFPE"),
        ("zsh: segmentation fault (core dumped)  ./x", "SIGSEGV"),
        ("zsh: illegal hardware instruction  ./x", "SIGILL"),
        ("cat: /etc/shadow: Permission denied", None),
        ("bash: line 1: ./x: No such file or directory", None),
        (
            "x: error while loading shared libraries: l.so: cannot open shared object file: No such file or directory",
            None,
        ),
    ],
)
def test_a_line_of_a_known_form(line: str, signal: str | None) -> None:
    found = read_words(line)
    assert found is not None
    assert (found.signal, found.text) == (signal, line)


@pytest.mark.parametrize(
    "line",
    [
        "0 errors",
        "Killed the process yesterday",
        "Killed by the administrator",
        "killed",
        "Segmentation fault happens here",
        "then I get Segmentation fault",
        "Bus error: see below",
        "after that it says: Permission denied",
        "cat: Permission denied, as you see",
        "note: this is fine",
        "zsh: Killed",
        "zsh: command not found: Killed",
    ],
)
def test_prose_is_no_evidence(line: str) -> None:
    assert read_words(line) is None


CALLS = """\
openat(AT_FDCWD, "/srv/tracediag/input", O_RDONLY) = 3
read(3, "0123", 4)                      = 4
mmap(NULL, 8589934592, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f25c8400000
"""
DENIED = 'openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied)\n'
SEGV = "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---\n"
MISSING = (
    'openat(AT_FDCWD, "/lib/x86_64-linux-gnu/libx.so.1", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n'
)
LOADER = (
    "./x: error while loading shared libraries: libx.so.1: cannot open shared object file: No such file or directory\n"
)


def told(text: str) -> list[str]:
    report = analyze(text.splitlines())
    assert not report.broken
    return [f"{found.name} {found.severity} {found.confidence}" for found in report.findings]


@pytest.mark.parametrize(
    ("paste", "findings"),
    [
        (CALLS + "Killed\n", ["killed-from-outside warning possible"]),
        (CALLS + "Killed\nuser@host:~$\n", ["killed-from-outside warning possible"]),
        (CALLS + "Segmentation fault (core dumped)\n", ["crashed warning possible"]),
        (CALLS + SEGV + "Segmentation fault\n", ["crashed error certain"]),
        (CALLS + "Killed the process yesterday\n", []),
        (CALLS + "Killed\n" + CALLS, []),
        (CALLS + "exit_group(0) = ?\nKilled\n", []),
        (CALLS + "+++ exited with 0 +++\nKilled\n", []),
        (CALLS + "read(0, <detached ...>\nKilled\n", []),
        ("10 close(3) = 0\n11 close(3) = 0\nKilled\n", []),
        (
            "10 close(3) = 0\n11 close(3) = 0\n11 +++ killed by SIGSEGV +++\nSegmentation fault\n",
            ["crashed error likely"],
        ),
        (MISSING + LOADER, ["shared-library-missing error certain", "missing-file error likely"]),
    ],
)
def test_the_findings(paste: str, findings: list[str]) -> None:
    assert told(paste) == findings


def test_a_message_names_the_failed_call() -> None:
    lines = [
        DENIED,
        *CALLS.splitlines(keepends=True),
        "cat: /etc/shadow: Permission denied\n",
        "+++ exited with 1 +++\n",
    ]
    found = analyze(lines).findings[0]
    assert (found.name, found.primary.line) == ("permission-denied", 1)
    assert [(each.line, each.note) for each in found.steps][1] == (5, "the program reports the error")


def test_the_line_is_accounted_for() -> None:
    events = list(read([DENIED, "cat: /etc/shadow: Permission denied\n", "so what?\n"]))
    assert [type(event) for event in events[1:]] == [Remark, NotUnderstood]
