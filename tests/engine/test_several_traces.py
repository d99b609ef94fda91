"""Several traces in one paste: each has a kernel and rules of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import Analysis, analyze
from tracediag.reading.several import split_traces
from tracediag.report import formatter

FAULT = ('openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3', "close(3) = 0", "close(3) = -1 EBADF (Bad file descriptor)")
FINE = ('openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3', "close(3) = 0")
EXECVE = 'execve("/bin/true", ["true"], 0x7ffc /* 8 vars */) = 0'


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        (("$ strace ./good", *FINE, "$ strace ./bad", *FINE), [1, 4]),
        (("root@host:~# strace -f ./good", *FINE, "", "root@host:~# strace -f ./bad", *FINE), [1, 5]),
        (("=== good ===", *FINE, "=== bad ===", *FINE), [1, 4]),
        (("==> trace.101 <==", *FINE, "", "==> trace.102 <==", *FINE), [1, 5]),
        (("Good run:", EXECVE, *FINE, "Bad run:", EXECVE, *FINE), [1, 5]),
        (("## working", EXECVE, *FINE, "## broken", EXECVE, *FINE), [1, 5]),
        ((EXECVE, *FINE, "+++ exited with 0 +++", EXECVE, *FINE, "+++ exited with 0 +++"), [1, 5]),
        (("10:00:05 close(3) = 0", "10:00:06 close(4) = 0", "10:00:01 close(3) = 0", "10:00:02 close(4) = 0"), [1, 3]),
        (("101 close(3) = 0", "101 +++ exited with 0 +++", "101 close(3) = 0", "102 close(4) = 0"), []),
        ((*FINE, "=== here it hangs ===", *FINE), []),
        ((*FINE, "# the second client connects", *FINE), []),
        ((*FINE, "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7} ---", *FINE), []),
        (("$ strace ./good", *FINE, "$ ./other"), []),
        (("10:00:05.1 close(3) = 0", "10:00:04.9 close(4) = 0", "10:00:05.2 close(3) = 0"), []),
        (("23:59:59 close(3) = 0", "00:00:01 close(4) = 0", "00:00:02 close(3) = 0"), []),
    ],
)
def test_where_each_trace_begins(lines: tuple[str, ...], starts: list[int]) -> None:
    assert [part.first for part in split_traces(lines)] == starts


def test_the_file_of_a_paste_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "paste"
    path.write_text("\n".join(("=== good ===", *FINE, "=== bad ===", *FAULT)))
    analysis = Analysis(path)
    held = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]
    assert str(path) not in held
    assert analysis.report().parts


def test_each_is_analysed_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "paste"
    path.write_text("\n".join(("=== good ===", *FINE, "=== bad ===", *FAULT, "=== good again ===", *FINE)))
    report = analyze(path)
    assert [(part.label, part.first_line, part.last_line) for part in report.parts] == [
        ("good", 1, 3), ("bad", 4, 7), ("good again", 8, 10)
    ]  # fmt: skip
    (finding,) = report.findings
    assert (finding.name, [step.line for step in finding.steps]) == ("double-close", [5, 6, 7])
    assert finding.object is not None
    assert finding.object.endswith("trace 2")
    assert (report.input.lines, report.input.calls) == (10, 7)
    shown = "".join(formatter("full").report(report))
    assert shown.startswith(
        "3 traces, each analysed for itself: 1 good (lines 1 to 3), 2 bad (lines 4 to 7), 3 good again"
    )


def test_descriptors_of_one_trace_are_not_those_of_the_next() -> None:
    lines = (EXECVE, *FINE, "+++ exited with 0 +++", EXECVE, "close(3) = 0", "+++ exited with 0 +++")
    assert not analyze(lines).findings
    assert [part.first_line for part in analyze(lines).parts] == [1, 5]


def test_events_and_findings_of_all_traces() -> None:
    lines = ["=== bad ===", *FAULT, "=== bad too ===", *FAULT]
    analysis = Analysis(lines)
    events = list(analysis.events())
    assert [event.line for event in events if type(event).__name__ == "Syscall"] == [2, 3, 4, 6, 7, 8]
    assert len(analysis.found) == len(list(Analysis(lines))) == len(analyze(lines).findings) == 2


def test_a_single_trace_has_no_parts() -> None:
    assert analyze(FAULT).parts == ()
