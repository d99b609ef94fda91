"""`state` on recorded traces; `test_state_live` compares it with a living system."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tracediag.overviews.state.moment import NoSuchLineError, take_state
from tracediag.report.base import Look
from tracediag.report.state import picture

SAMPLES = Path(__file__).parents[2] / "samples"
ACCEPT_ONCE = str(SAMPLES / "epollserver" / "accept-once.strace")
RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture
def state(tmp_path):
    def take(text, line=None):
        path = tmp_path / "trace"
        path.write_text(text)
        return take_state(str(path), line)

    return take


def listening() -> int:
    lines = Path(ACCEPT_ONCE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if " accept4(" in line)


@pytest.mark.parametrize(
    "look", [Look(), Look(width=80), Look(ascii_only=True)], ids=["plain", "narrow", "ascii"]
)  # fmt: skip
def test_the_server_after_its_first_accept(look, snapshot):
    assert picture(take_state(ACCEPT_ONCE, listening()), look).partition("memory")[0] == snapshot


@pytest.mark.parametrize("limit", [3, 4])
def test_processes_threads_and_children(snapshot, limit):
    """A shell with a child that it waits for, and a program with threads."""
    assert picture(take_state(str(RECORDED / "shell.strace"), 250), Look(), limit=limit) == snapshot
    assert picture(take_state(str(RECORDED / "threads.strace"), 60), Look()) == snapshot


def test_an_earlier_line_has_not_seen_what_comes_later():
    line = listening()
    (before,), (after,) = (take_state(ACCEPT_ONCE, at).processes for at in (line - 1, line))
    new = {each.number for each in after.descriptors} - {each.number for each in before.descriptors}
    (accepted,) = (each for each in after.descriptors if each.number in new)
    assert (accepted.call, accepted.line) == ("accept4", line)


def test_a_thread_is_inside_a_call_between_its_halves(state):
    text = (
        "7 read(3,  <unfinished ...>\n"
        "8 getpid() = 8\n"
        '7 <... read resumed>"x", 1) = 1\n'
        "7 close(3) = 0\n"
    )  # fmt: skip
    assert [thread.blocked for process in state(text, 2).processes for thread in process.threads] == [True, False]
    assert not any(thread.blocked for process in state(text, 3).processes for thread in process.threads)
    assert [each.number for each in state(text, 3).processes[0].descriptors] == [3]
    assert state(text).processes[0].descriptors == ()


def test_at_the_end_a_call_that_never_returned_blocks(state):
    (process,) = state('open("/x", O_RDONLY) = 3\nread(3, ').processes
    assert (process.threads[0].blocked, process.threads[0].waits_for) == (True, ("fd 3 = /x",))


def test_an_unlock_in_the_middle_leaves_both_ends(state):
    text = (
        'open("/x", O_RDWR) = 3\n'
        "fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0\n"
        "fcntl(3, F_SETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=10, l_len=10}) = 0\n"
        'open("/x", O_RDONLY) = 4\n'
        "close(4) = 0\n"
    )
    assert [lock.range for lock in state(text, 3).processes[0].locks] == ["bytes 0-9", "bytes 20-"]
    assert state(text, 5).processes[0].locks == ()  # any close of the file drops them: fcntl(2)


def test_a_munmap_in_the_middle_leaves_both_ends(state):
    text = (
        "mmap(NULL, 16384, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x10000\n"
        "munmap(0x11000, 4096) = 0\n"
        "mremap(0x12000, 8192, 32768, MREMAP_MAYMOVE) = 0x40000\n"
        "brk(NULL) = 0x90000\n"
        "brk(0x92000) = 0x92000\n"
    )
    (process,) = state(text).processes
    regions = [(each.what, each.start, each.length) for each in process.memory.regions]
    assert regions == [("anonymous", 0x40000, 32768), ("heap (brk)", 0x90000, 8192), ("anonymous", 0x10000, 4096)]


def test_without_a_line_a_finished_trace_shows_the_last_process():
    lines = len(Path(ACCEPT_ONCE).read_text().splitlines())
    last = take_state(ACCEPT_ONCE)
    assert last.line == lines - 1
    assert [process.pid for process in last.processes] == [13569]
    assert last == take_state(ACCEPT_ONCE, lines - 1)
    assert take_state(ACCEPT_ONCE, lines).processes == ()


def test_no_such_line(state):
    with pytest.raises(NoSuchLineError, match="has 1 line: there is no line 2"):
        state("close(3) = 0\n", 2)


def test_every_process_has_ended():
    assert "name an earlier line" in picture(take_state(ACCEPT_ONCE, 870), Look())


def test_long_lists_are_cut_and_ends_counted(state):
    births = [f"100 clone(child_stack=NULL, flags=SIGCHLD) = {pid}" for pid in range(1000, 4000)]
    ends = [f"{pid} +++ exited with 0 +++" for pid in range(1000, 3000)]
    found = state("\n".join([*births, *ends, ""]))
    assert found.ended == 2000
    lines = picture(found, Look(), limit=3).splitlines()
    assert len(lines) < 40
    assert "  … 2,997 more children: --limit 0 shows all" in lines
    assert lines[-1] == "… 998 more processes: --limit 0 shows all"


def test_a_thread_within_exit_group_is_not_running():
    lines = ['7 read(0, "", 1) = 0\n', "7 exit_group(3) = ?\n"]
    stands = take_state(lines, 2).processes[0].threads[0]
    assert (stands.ending, stands.blocked, stands.line) == (True, False, 2)
    shown = picture(take_state(lines, 2), Look())
    assert "ends with exit_group(3) at line 2" in shown
    assert "running" not in shown


@pytest.mark.parametrize("order", list(permutations((10, 11, 12, 13))))
def test_the_last_process_is_found_in_whatever_order_they_end(order):
    lines = [f"{pid} clone(child_stack=NULL, flags=SIGCHLD) = {pid + 1}\n" for pid in (10, 11, 12)]
    lines += [f"{pid} +++ exited with 0 +++\n" for pid in order]
    state = take_state(lines)
    assert ([process.pid for process in state.processes], state.line) == ([order[-1]], 6)


def test_a_stopped_process_does_not_run(state):
    text = (
        "7 kill(7, SIGSTOP) = 0\n"
        "7 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=7, si_uid=0} ---\n"
        "7 --- stopped by SIGSTOP ---\n"
        "8 --- stopped by SIGSTOP ---\n"
        "7 --- SIGCONT {si_signo=SIGCONT, si_code=SI_USER, si_pid=9, si_uid=0} ---\n"
        "7 getpid() = 7\n"
    )
    shown = picture(state(text, 3), Look())
    assert "  standing  stopped by SIGSTOP at line 3; line 1 was kill(7, SIGSTOP) = 0\n" in shown
    assert [process.threads[0].stopped for process in state(text, 4).processes] == ["SIGSTOP", "SIGSTOP"]
    assert [process.threads[0].stopped for process in state(text, 5).processes] == [None, "SIGSTOP"]
