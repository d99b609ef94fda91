"""Which processes without a birth are threads of one, which are processes of their own, and what neither proves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.evidence.scope import Scope
from tracediag.kernel import Kernel, apply
from tracediag.reading import read
from tracediag.results.findings import Confidence

ATTACHED = Path(__file__).parent / "recorded" / "attached"


def kernel_of(*lines: str) -> Kernel:
    kernel = Kernel()
    for event in read([f"{line}\n" for line in lines]):
        apply(kernel, event)
    return kernel


@pytest.mark.parametrize(("name", "processes"), [("noted", 1), ("told", 1), ("plain", 3)])
def test_threads_that_strace_was_attached_to(name: str, processes: int) -> None:
    """`noted` shows the connections, `told` that the process was attached with its threads, and `plain` neither."""
    kernel = Kernel()
    for event in read(ATTACHED / f"{name}.strace"):
        apply(kernel, event)
    assert len(kernel.processes) == processes


@pytest.mark.parametrize("name", ["noted", "told", "plain"])
def test_what_another_thread_may_have_registered_is_not_stale(name: str) -> None:
    assert not [finding.name for finding in analyze(ATTACHED / f"{name}.strace").causes]


@pytest.mark.parametrize(
    "proof",
    [
        "71 tgkill(71, 72, SIGURG) = 0",
        "72 getpid() = 71",
        "71 futex(0x7f22, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 72, NULL, FUTEX_BITSET_MATCH_ANY) = 0",
    ],
)
def test_what_proves_that_two_pids_are_threads(proof: str) -> None:
    lines = ("71 close(9) = 0", "72 close(8) = 0")
    assert len(kernel_of(*lines).processes) == 2
    (process,) = kernel_of(*lines, proof).processes
    assert [thread.tid for thread in process.threads] == [71, 72]


@pytest.mark.parametrize(
    ("made", "used", "processes"),
    [
        ("accept(3, NULL, NULL) = 5<TCP:[127.0.0.1:80->127.0.0.1:9]>", "5<TCP:[127.0.0.1:80->127.0.0.1:9]>", 1),
        ("socket(AF_UNIX, SOCK_STREAM, 0) = 5<UNIX-STREAM:[4711]>", "5<UNIX-STREAM:[4711]>", 1),
        ("socket(AF_UNIX, SOCK_STREAM, 0) = 5<socket:[4711]>", "5<socket:[4712]>", 2),
        ("accept(3, NULL, NULL) = 5<TCP:[127.0.0.1:80->127.0.0.1:9]>", "6<TCP:[127.0.0.1:80->127.0.0.1:9]>", 2),
        ('open("/a", O_RDONLY) = 5</a>', "5</a>", 2),  # two processes may open one file
    ],
)
def test_a_connection_made_by_one_and_used_by_the_other(made: str, used: str, processes: int) -> None:
    assert len(kernel_of("72 close(8) = 0", f"71 {made}", f'72 read({used}, "a", 9) = 1').processes) == processes
    late = kernel_of(f"71 {made}", f'72 read({used}, "a", 9) = 1')
    assert len(late.processes) == 2, "the second may have been forked after that"


def test_a_newcomer_that_strace_announces_was_not_attached_with_the_others() -> None:
    lines = ("strace: Process 71 attached with 2 threads", "[pid 71] close(9) = 0")
    forked = ("strace: Process 73 attached", '[pid 73] write(1, "a", 1) = 1')
    kernel = kernel_of(*lines, *forked, "[pid 72] close(8) = 0")
    assert [[thread.tid for thread in process.threads] for process in kernel.processes] == [[71, 72], [73]]


def test_of_two_processes_attached_with_threads_nothing_tells_whose_a_thread_is() -> None:
    lines = ("strace: Process 71 attached with 2 threads", "strace: Process 81 attached with 2 threads")
    assert len(kernel_of(*lines, *(f"[pid {pid}] close({pid}) = 0" for pid in (71, 72, 81, 82))).processes) == 4


EXEC = 'execve("/bin/x", ["x"], 0x7ffc /* 3 vars */) = 0'


@pytest.mark.parametrize(
    ("lines", "may_share"),
    [
        (("71 close(9) = 0", "72 close(8) = 0"), True),
        (("71 close(9) = 0",), False),
        (("71 close(9) = 0", "72 close(8) = 0", f"71 {EXEC}", "72 close(7) = 0"), False),
        (("71 close(9) = 0", f"71 {EXEC}", "72 close(8) = 0"), True),
        (("72 close(8) = 0", "72 exit_group(0) = ?", "72 +++ exited with 0 +++", "71 close(9) = 0"), False),
        (("71 close(8) = 0", "72 close(8) = 0", "72 +++ killed by SIGSEGV +++", "71 close(9) = 0"), False),
        (("71 close(8) = 0", "72 exit(0) = ?", "72 +++ exited with 0 +++", "71 close(9) = 0"), True),
        (("71 close(8) = 0", "72 close(9) = 0", "72 exit_group(0) = ?", "72 +++ exited with 0 +++"), True),
    ],
)
def test_what_proves_that_two_pids_are_no_threads(lines: tuple[str, ...], may_share: bool) -> None:
    kernel = kernel_of(*lines)
    process = next(process for process in kernel.processes if process.pid == 71)
    assert Scope(kernel).may_share(process) is may_share


@pytest.mark.parametrize(
    ("lines", "may_share"),
    [
        (("71 socket(1, 1, 0) = 3", "72 socket(1, 1, 0) = 3", "72 close(9) = 0"), False),
        (("71 socket(1, 1, 0) = 3", "72 socket(1, 1, 0) = 3"), True),  # closes may not show
        (("71 socket(1, 1, 0) = 3", "72 close(3) = 0", "72 socket(1, 1, 0) = 3"), True),
        (("71 socket(1, 1, 0) = 3", "73 close(3) = 0", "72 socket(1, 1, 0) = 3", "72 exit_group(0) = ?"), True),
        (("71 socket(1, 1, 0) = 3", "72 close(9) = 0", "72 read(3, 0x7f, 1) = -1 EIO (x)"), True),
    ],
)
def test_no_table_gives_out_a_number_that_is_open(lines: tuple[str, ...], may_share: bool) -> None:
    kernel = kernel_of(*lines)
    process = next(process for process in kernel.processes if process.pid == 71)
    assert Scope(kernel).may_share(process) is may_share


def test_what_was_not_yet_known_to_be_one_process_is_not_certain() -> None:
    kernel = kernel_of("71 close(9) = 0", "72 close(8) = 0", "72 getpid() = 71", "72 close(7) = 0")
    (process,) = kernel.processes
    assert Scope(kernel).may_share(process, since=2)
    assert not Scope(kernel).may_share(process, since=3)


USED = ("71 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3", "71 close(3) = 0", '71 write(3, "a", 1) = -1 EBADF (Bad)')


def test_nothing_about_a_table_is_certain_that_unseen_threads_may_share() -> None:
    def confidence(*lines: str) -> Confidence:
        return analyze([f"{line}\n" for line in lines]).findings[0].confidence

    assert confidence(*USED) is Confidence.CERTAIN
    assert confidence("72 close(9) = 0", *USED) is Confidence.LIKELY
    assert confidence("71 close(8) = 0", "72 getpid() = 71", *USED) is Confidence.CERTAIN
