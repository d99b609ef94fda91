"""Pids whose start the trace does not show may be threads of one process."""

from __future__ import annotations

from pathlib import Path

from tracediag.api import analyze
from tracediag.engine import Engine
from tracediag.reading import Reader

SAMPLES = Path(__file__).parents[2] / "samples"
JOIN = "71 futex(0x7f2218857990, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 72, NULL, FUTEX_BITSET_MATCH_ANY{}\n"
CLOSED_TWICE = (
    "71 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n",
    "71 close(3) = 0\n",
    '72 openat(AT_FDCWD, "/srv/ledger", O_WRONLY|O_CREAT|O_APPEND, 0644) = 3\n',
    "71 close(3) = 0\n",
)
LOST = (
    '72 write(3, "row 1\\n", 6) = -1 EBADF (Bad file descriptor)\n',
    '72 write(2, "ledger: Bad file descriptor\\n", 28) = 28\n',
)


def _engine(*lines: str) -> Engine:
    engine = Engine([])
    reader = Reader(list(lines), calls=engine.calls, begun=engine.begun)
    assert not list(engine.run(reader))
    return engine


def test_who_joins_a_thread_shares_its_table() -> None:
    engine = _engine(*CLOSED_TWICE, JOIN.format(" <unfinished ...>"), *LOST)
    (process,) = engine.kernel.processes
    assert [thread.tid for thread in process.threads] == [71, 72]
    gone = process.table.last_closed[3]
    assert gone.file.path == "/srv/ledger"
    assert gone.closed is not None
    assert gone.closed.line == 4


def test_without_proof_nothing_is_shared() -> None:
    assert len(_engine(*CLOSED_TWICE, *LOST).kernel.processes) == 2
    private = JOIN.replace("WAIT_BITSET|", "WAIT_BITSET_PRIVATE|").format(") = 0")
    assert len(_engine(*CLOSED_TWICE, private, *LOST).kernel.processes) == 2
    assert len(_engine(*CLOSED_TWICE, JOIN.replace(" 72,", " 99,").format(") = 0")).kernel.processes) == 2


def test_a_second_close_is_found_across_threads_that_were_attached() -> None:
    report = analyze([*CLOSED_TWICE, JOIN.format(" <unfinished ...>"), *LOST])
    assert ("double-close", 4) in [(finding.name, finding.primary.line) for finding in report.causes]


def test_a_thread_that_is_forked_in_the_trace_keeps_its_process() -> None:
    fork = "71 fork() = 72\n"
    assert len(_engine(fork, *CLOSED_TWICE, JOIN.format(") = 0")).kernel.processes) == 2


OPENED = '71 openat(AT_FDCWD, "/srv/a", O_RDWR|O_DIRECT) = 5</srv/a>\n'
FLAGS = "71 fcntl(5<TCP:[127.0.0.1:80->127.0.0.1:4711]>, F_SETFL, O_RDONLY|O_NONBLOCK) = 0\n"


def test_a_note_of_another_kind_ends_what_had_the_number() -> None:
    table = _engine("72 getpid() = 72\n", "72 close(9) = 0\n", OPENED, FLAGS).kernel.processes[-1].table
    held = table.get(5)
    assert held is not None
    assert held.file.socket is not None
    assert held.opened is None
    same = FLAGS.replace("TCP:[127.0.0.1:80->127.0.0.1:4711]", "/srv/a")
    for flags, cleared in ((FLAGS, False), (same, True)):
        titles = [finding.title for finding in analyze(["72 close(9) = 0\n", OPENED, flags]).findings]
        assert any("O_DIRECT" in title for title in titles) is cleared


READY = "71 epoll_wait(4, [{events=EPOLLIN, data={u32=900, u64=90000000}}], 8, -1) = 1\n"
STALE = (
    "71 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=900, u64=90000000}}) = 0\n",
    "71 close(5) = 0\n",
    *[READY] * 30,
)


def test_a_thread_that_was_attached_may_have_added_the_next_owner_of_a_number() -> None:
    assert analyze(list(STALE)).findings[0].name == "stale-epoll-registration"
    assert not analyze(["72 close(9) = 0\n", *STALE]).findings


def test_a_wake_of_a_private_futex_reaches_only_threads_of_the_process() -> None:
    lines = (SAMPLES / "double-close" / "handed-over.f.strace").read_text().splitlines(keepends=True)
    cut = lines[max(place for place, line in enumerate(lines) if "socketpair(" in line) + 1 :]
    unwoken = [
        line.replace("FUTEX_WAKE_PRIVATE, 2147483647) = 1", "FUTEX_WAKE_PRIVATE, 2147483647) = 0") for line in cut
    ]
    assert "use-after-close" in {found.name for found in analyze(cut).findings}
    assert "use-after-close" not in {found.name for found in analyze(unwoken).findings}


EARLIER = "71 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}) = 0\n"


def test_what_two_threads_showed_of_one_description_is_known_of_it() -> None:
    lines = (
        "71 fcntl(5, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n",
        EARLIER,
        "72 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1\n",
        '72 recvfrom(5, "x", 64, 0, NULL, NULL) = 1\n',
        '71 sendto(5, "y", 1, 0, NULL, 0) = 1\n',
    )
    (process,) = _engine(*lines, JOIN.format(") = 0")).kernel.processes
    assert sorted(process.table.open) == [4, 5]
    held, epoll = process.table.open[5], process.table.open[4].file.epoll
    assert list(held.file.holders) == [held]
    assert held.file.flags.has("O_NONBLOCK") is True
    socket = held.file.socket
    assert socket is not None
    assert socket.last_read is not None
    assert socket.last_write is not None
    assert epoll is not None
    (entry,) = held.file.registrations
    assert (entry.added is not None, entry.file, entry.descriptor) == (True, held.file, held)
    assert list(epoll.entries.values()) == [entry]
    assert all(turn.epoll is epoll for thread in process.threads for turn in thread.rounds.values())


FORKED = (
    "71 getpid() = 71\n",
    "72 clone(child_stack=NULL, flags=CLONE_VM|CLONE_VFORK|SIGCHLD) = 80\n",
    "80 exit_group(0) = ?\n",
    "80 +++ exited with 0 +++\n",
)
DIED = "71 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=80, si_uid=0, si_status=0} ---\n"
WAITED = "71 wait4(80, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 80\n"


def test_a_child_is_waited_for_only_by_threads_of_the_process_that_made_it() -> None:
    for proof in (DIED, WAITED):
        living = [process for process in _engine(*FORKED, proof).kernel.processes if process.threads]
        assert [[thread.tid for thread in process.threads] for process in living] == [[71, 72]]
        assert set(living[0].children) == ({80} if proof == DIED else set())
    assert [one.pid for one in living[0].reaped] == [80]
    gone = "72 +++ exited with 0 +++\n"  # a subreaper gets the children of the dead: prctl(2)
    assert len(_engine(*FORKED, gone, WAITED).kernel.processes) == 3
    sibling = [FORKED[1].replace("CLONE_VM", "CLONE_PARENT")]
    assert len(_engine(FORKED[0], *sibling, *FORKED[2:], WAITED).kernel.processes) == 3


def test_the_main_thread_may_be_seen_after_one_that_was_told_its_number() -> None:
    kernel = _engine("72 getpid() = 71\n", "71 close(3) = 0\n").kernel
    (process,) = kernel.processes
    assert (process.pid, [thread.tid for thread in process.threads]) == (71, [72, 71])
    assert not kernel.process_table.inner.exist
