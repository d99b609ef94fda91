"""A child in a pid namespace has two numbers: that of its lines, and the one that its parent and itself know."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recordings import RECORDED
from test_process_table import FORK, kernel_of

from tracediag.api import analyze
from tracediag.kernel import Kernel, apply
from tracediag.reading import read
from tracediag.trace.events import Syscall

_STATUS = re.compile(r"WEXITSTATUS\(s\) == ([1-9])")
BEGUN = FORK.removesuffix(")")


def descent(kernel: Kernel) -> list[tuple[int | None, int | None, int | None]]:
    return [(one.pid, one.inner, one.parent and one.parent.pid) for one in kernel.processes]


def test_the_child_that_came_during_a_clone_has_the_number_that_it_returns() -> None:
    kernel = kernel_of(
        f"1 {BEGUN} <unfinished ...>", "102 close(3) = 0", "1 <... clone resumed>) = 2", "102 close(4) = 0"
    )
    parent, child = kernel.processes
    assert descent(kernel) == [(1, None, None), (102, 2, 1)]
    assert parent.children == {2: child}


def test_a_wait_for_either_number_takes_the_child() -> None:
    kernel = kernel_of(
        f"1 {BEGUN} <unfinished ...>",
        "102 set_tid_address(0x7f) = 2",
        "1 <... clone resumed>) = 2",
        "102 exit_group(3) = ?",
        "102 +++ exited with 3 +++",
        "1 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 2",
    )
    parent, child = kernel.processes
    assert parent.children == {}
    assert [(one.pid, one.child, one.status) for one in parent.reaped] == [(2, child, 3)]


def test_strace_translates_the_number_on_request() -> None:
    kernel = kernel_of(f"1 {FORK} = 2 /* 102 in strace's PID NS */", "102 close(3) = 0")
    assert descent(kernel) == [(1, None, None), (102, 2, 1)]


def test_a_notice_names_the_child_whose_number_the_clone_returned() -> None:
    lines = ("[pid 1] close(9) = 0", f"[pid 1] {FORK} = 57", "strace: Process 4100 attached", "[pid 4100] close(3) = 0")
    assert descent(kernel_of(*lines)) == [(1, None, None), (4100, 57, 1)]


def test_children_that_came_at_the_same_time_tell_which_is_which() -> None:
    kernel = kernel_of(
        "100 getpid() = 1",
        f"100 {FORK} = 2",
        "100 vfork( <unfinished ...>",
        "103 close(3) = 0",
        "102 close(3) = 0",
        "100 <... vfork resumed>) = 3",
        "103 set_tid_address(0x7f) = 3",
    )
    assert descent(kernel) == [(100, 1, None), (103, 3, 100), (102, 2, 100)]
    assert [child.pid for _, child in sorted(kernel.processes[0].children.items())] == [102, 103]


def test_two_clones_at_once_are_no_namespace() -> None:
    kernel = kernel_of(
        f"1 {FORK} = 2",
        f"2 {BEGUN} <unfinished ...>",
        f"1 {BEGUN} <unfinished ...>",
        "3 close(3) = 0",
        "1 <... clone resumed>) = 4",
        "2 <... clone resumed>) = 3",
        "4 close(3) = 0",
    )
    assert descent(kernel) == [(1, None, None), (2, None, 1), (3, None, 2), (4, None, 1)]


def test_a_stranger_is_no_child_without_a_namespace() -> None:
    kernel = kernel_of(f"1 {FORK} = 2", "9 close(3) = 0")
    assert descent(kernel) == [(1, None, None), (2, None, 1), (9, None, None)]


def test_a_number_that_a_process_kills_itself_by_is_its_own() -> None:
    signal = "--- SIGABRT {si_signo=SIGABRT, si_code=SI_TKILL, si_pid=78, si_uid=0} ---"
    (process,) = kernel_of(
        "tgkill(78, 78, SIGABRT) = 0", "rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0", signal
    ).processes
    assert process.is_called(78)


@pytest.mark.skipif(not (shutil.which("strace") and shutil.which("unshare")), reason="needs strace and unshare")
@pytest.mark.parametrize("options", [[], ["--pidns-translation"]])
def test_a_real_namespace(options: list[str], tmp_path: Path) -> None:
    # One child after the other: of children that come at the same moment the trace may not tell which is which.
    script = "/bin/true; /bin/sh -c 'exit 7'; /bin/sh -c 'kill -9 $$'; exit 3"
    trace = tmp_path / "trace"
    command = ["strace", "-f", *options, "-o", trace, "unshare", "-pf", "--mount-proc", "sh", "-c", script]
    if subprocess.run(command, capture_output=True, check=False).returncode not in (3, 137):
        pytest.skip("needs the right to create a pid namespace")
    kernel = Kernel()
    for event in read(trace):
        apply(kernel, event)
    first, shell, *others = kernel.processes
    assert shell.parent is first
    assert shell.inner == 1
    assert sorted(one.inner or 0 for one in others) == list(range(2, 2 + len(others)))
    assert all(one.parent is shell for one in others)
    assert "child-not-reaped" not in [finding.name for finding in analyze(trace).findings]


@pytest.mark.parametrize("name", ["forks_at_once", "forks_at_once.f"])
def test_of_children_at_the_same_moment_no_number_is_wrong(name: str) -> None:
    """Child N exits with status N, and a wait shows the number with the status."""
    kernel, told = Kernel(), dict[int, int | None]()
    for event in read(RECORDED / f"{name}.strace"):
        apply(kernel, event)
        if isinstance(event, Syscall) and (status := _STATUS.search(event.body)):
            told[int(status[1])] = event.result
    known = {process.status: process.inner for process in kernel.processes if process.status}
    assert sorted(told) == sorted(known, key=int) == [1, 2, 3, 4]
    assert all(known[status] in (None, told[status]) for status in told)
    assert len(kernel.processes) == 6


def test_what_nothing_tells_apart_has_no_number() -> None:
    born = ("100 getpid() = 1", f"100 {FORK} = 2", f"100 {FORK} = 3", "103 close(3) = 0", "102 close(3) = 0")
    kernel = kernel_of(*born)
    assert descent(kernel) == [(100, 1, None), (103, None, 100), (102, None, 100)]
    ends = ("103 +++ exited with 3 +++", "102 +++ exited with 2 +++")
    waits = [f"100 wait4(-1, [{{WIFEXITED(s) && WEXITSTATUS(s) == {n}}}], 0, NULL) = {n}" for n in (2, 3)]
    kernel = kernel_of(*born, *ends, *waits)
    parent, *children = kernel.processes
    assert parent.children == {}
    assert [(one.pid, one.child and one.child.pid) for one in parent.reaped] == [(2, 102), (3, 103)]
    assert [child.inner for child in children] == [3, 2]


def test_a_call_that_makes_a_namespace_explains_a_newcomer() -> None:
    lines = (f"1 {FORK} = 2", "102 close(3) = 0")
    assert descent(kernel_of(*lines))[-1] == (102, None, None)
    for call in ("unshare(CLONE_NEWPID)", "setns(3</proc/7/ns/pid>, 0)", "setns(3, CLONE_NEWPID)"):
        assert descent(kernel_of(f"1 {call} = 0", *lines)) == [(1, None, None), (102, 2, 1)]
