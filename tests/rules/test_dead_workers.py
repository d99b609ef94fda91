"""A worker that has died, and a main thread that waits: when the one is the reason of the other."""

from __future__ import annotations

import pytest

from tracediag import analyze

START = '7 execve("./a", ["./a"], 0x7ffc /* 2 vars */) = 0\n'
PIPE = "7 pipe2([3, 4], 0) = 0\n"
FORK = "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 8\n"
DEATH = "8 getpid() = 8\n8 +++ killed by SIGKILL +++\n"
REAPED = "7 wait4(8, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 8\n"
NOTICED = REAPED.replace(", 0, NULL", ", WNOHANG, NULL")
FUTEX = "7 futex(0x7f10, FUTEX_WAIT_PRIVATE, 0, NULL"
ORDER = "7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---\n7 +++ killed by SIGTERM +++\n"
STOPPED = f"{FUTEX}) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n{ORDER}"
READ = f"7 read(3, 0x7f20, 9) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n{ORDER}"


def titles(trace: str) -> list[str]:
    """The titles of the findings about dead workers."""
    report = analyze([f"{line}\n" for line in (START + trace).splitlines()])
    return [found.title for found in report.findings if found.name == "dead-worker"]


@pytest.mark.parametrize("trace", [FORK + DEATH + NOTICED + STOPPED, PIPE + FORK + DEATH + READ])
def test_the_death_leads(trace: str) -> None:
    assert titles(trace) == ["a (pid 7) waits for the work of a (pid 8), which is killed by SIGKILL"]


@pytest.mark.parametrize(
    "trace",
    [
        pytest.param(FORK + DEATH + REAPED + STOPPED, id="the parent has waited for that child"),
        pytest.param(FORK + DEATH + PIPE + READ, id="the pipe is younger than the child"),
        pytest.param(FORK + DEATH + FUTEX + " <unfinished ...>\n", id="the trace just ends in the wait"),
        pytest.param(
            FORK + '8 execve("./b", ["./b"], 0x7f) = 0\n' + DEATH + STOPPED, id="the child is another program"
        ),
        pytest.param(FORK + DEATH + FUTEX + ") = 0\n7 exit_group(0) = ?\n7 +++ exited with 0 +++\n", id="it ends well"),
    ],
)
def test_no_finding(trace: str) -> None:
    assert titles(trace) == []
