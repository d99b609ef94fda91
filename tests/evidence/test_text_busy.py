"""ETXTBSY names the process of the trace that executes or writes the file."""

from __future__ import annotations

import pytest

from tracediag.api import analyze

SHELL = (
    '10 execve("/bin/sh", ["sh", "job.sh"], 0x7ffe /* 2 vars */) = 0',
    "10 clone(child_stack=NULL, flags=SIGCHLD) = 11",
)
RUNS = '11 execve("{}", ["tool"], 0x7ffe /* 2 vars */) = 0'
COPIES = (
    "10 clone(child_stack=NULL, flags=SIGCHLD) = 12",
    '12 execve("/bin/cp", ["cp", "/bin/true", "tool"], 0x7ffe /* 2 vars */) = 0',
    '12 openat(AT_FDCWD, "tool", O_WRONLY|O_TRUNC) = -1 ETXTBSY (Text file busy)',
    "12 write(2, \"cp: cannot create regular file 'tool': Text file busy\\n\", 54) = 54",
    "12 exit_group(1) = ?",
    "12 +++ exited with 1 +++",
)
GENERATES = (
    '10 openat(AT_FDCWD, "gen.sh", O_WRONLY|O_CREAT|O_TRUNC, 0777) = 3',
    "10 clone(child_stack=NULL, flags=SIGCHLD) = 11",
    '11 execve("./gen.sh", ["./gen.sh"], 0x7ffe /* 2 vars */) = -1 ETXTBSY (Text file busy)',
    '11 write(2, "./gen.sh: Text file busy\\n", 25) = 25',
    "11 exit_group(126) = ?",
    "11 +++ exited with 126 +++",
)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((*SHELL, RUNS.format("./tool"), *COPIES), "tool (pid 11) is executing the file"),
        ((*SHELL, RUNS.format("/usr/bin/sleep"), *COPIES), "a process is executing the file"),
        ((SHELL[0], *GENERATES), "sh (pid 10) has the file open for writing"),
    ],
)
def test_the_process_is_named_if_the_trace_shows_it(lines: tuple[str, ...], words: str) -> None:
    titles = [
        found.title for found in analyze([f"{line}\n" for line in lines]).findings if found.name == "text-file-busy"
    ]
    assert words in titles[0]
