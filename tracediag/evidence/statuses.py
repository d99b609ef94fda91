"""Exit statuses with a conventional meaning, which are an answer and no failure: the manual page of each program."""

from __future__ import annotations

import posixpath

_ANSWERS = {
    (name, status): meaning
    for names, status, meaning in (
        ("grep egrep fgrep zgrep rgrep rg ag look pgrep pidof", 1, "no match"),
        ("diff cmp diff3 sdiff zdiff zcmp", 1, "the files differ"),
        ("test [ false", 1, "false"),
        ("expr", 1, "the result is null or 0"),
        ("which command type", 1, "not found"),
        ("timeout", 124, "the time limit was reached"),
        ("mountpoint", 1, "not a mount point"),
        ("mountpoint", 32, "not a mount point"),
        ("getent", 2, "key not found"),
        ("systemctl", 3, "not active"),
        ("pkill", 1, "no process matched"),
        ("tty", 1, "not a terminal"),
        ("fuser", 1, "not in use"),
    )
    for name in names.split()
}
"""What a program answers with a status other than 0."""

_SHELL = {126: "the command cannot be executed", 127: "the command was not found"}
_SHELLS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "busybox", "env", "xargs", "timeout", "nohup", "sudo"}
)
_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
            11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM"}  # fmt: skip
_KILLED = 128
"""A shell exits with this plus the number of the signal that killed its last command: bash(1), EXIT STATUS."""


def answer(program: str | None, status: int | None) -> str | None:
    """Return what a status other than 0 answers by the convention of the program; None where it is a failure."""
    if program is None or status is None:
        return None
    return _ANSWERS.get((posixpath.basename(program), status))


def meaning(program: str | None, status: int | None) -> str | None:
    """Return what a status means by convention, be it an answer or a failure; None where there is no convention."""
    found = answer(program, status)
    if found is not None or program is None or status is None or posixpath.basename(program) not in _SHELLS:
        return found
    if status - _KILLED in _SIGNALS:
        return f"its command was killed by {_SIGNALS[status - _KILLED]}"
    return _SHELL.get(status)
