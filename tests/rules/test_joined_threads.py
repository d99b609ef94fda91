"""A main thread that waits for the end of another thread takes part in a deadlock: pthread_join."""

from __future__ import annotations

from tracediag import analyze

ATTACHED = """\
strace: Process 7 attached with 3 threads
[pid 9] futex(0x7f10, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
[pid 8] futex(0x7f20, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
[pid 7] futex(0x7f30, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 8, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
strace: Process 7 detached
strace: Process 8 detached
strace: Process 9 detached
"""


def test_a_join_is_told_by_its_thread() -> None:
    report = analyze([f"{line}\n" for line in ATTACHED.splitlines()])
    assert [(found.name, found.severity.value) for found in report.findings] == [("lock-never-released", "error")]
    assert any(each.reason.startswith("it waits until thread 8 ends (pthread_join)") for each in report.waiting)


def test_another_value_is_no_join() -> None:
    report = analyze([f"{line}\n" for line in ATTACHED.replace("CLOCK_REALTIME, 8", "CLOCK_REALTIME, 5").splitlines()])
    assert report.findings == ()


def test_a_call_without_a_pid_is_no_join() -> None:
    stopped = "accept(3, 0x7f, [28]) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"
    lines = [
        'execve("./a", ["./a"], 0x7f /* 2 vars */) = 0',
        stopped,
        "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---",
        "+++ killed by SIGTERM +++",
    ]
    found = analyze([f"{line}\n" for line in lines]).findings
    assert "lock-never-released" not in [each.name for each in found]
