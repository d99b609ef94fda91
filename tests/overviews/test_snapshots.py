"""What the snapshot of /proc beside a trace tells the commands that answer a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import analyze, open_trace
from tracediag.library.lines import explain_line
from tracediag.overviews.descent.tree import grow_tree
from tracediag.overviews.following.finder import NoSuchObjectError
from tracediag.overviews.following.life import follow
from tracediag.overviews.state.moment import take_state
from tracediag.reading import UnreadableError
from tracediag.report import formatter
from tracediag.snapshot import Futex, Held, Moment, ProcessState, Snapshot, SocketState, ThreadState, store

SERVER = ProcessState(
    pid=7,
    executable="/usr/bin/server",
    arguments=("server", "--port", "80"),
    directory="/srv/data",
    threads=(ThreadState(7),),
    descriptors=(Held(4, "socket:[8]", 2), Held(5, "/srv/data/log", 1), Held(6, "socket:[9]", 2)),
)
LISTENER = SocketState(8, "TCP", "0.0.0.0:80", "", "LISTEN")
KNOWN = Snapshot(before=Moment(1.0, (SERVER,), (LISTENER, SocketState(9, "TCP", "10.0.0.1:80", "10.0.0.2:4000"))))
OPENING = ThreadState(7, state="S", call="openat", wchan="wait_for_partner", path="q")
CALLS = '7 10.1 write(5, "a", 1) = 1\n7 10.2 write(6, "b", 1) = 1\n7 10.3 chdir("sub") = 0\n'


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "a.strace"
    path.write_text(CALLS)
    store(KNOWN, str(path))
    return str(path)


def test_the_state_names_what_was_open_before_the_trace(trace):
    (process,) = take_state(trace).processes
    assert [(each.number, each.kind, each.line) for each in process.descriptors] == [
        (4, "socket", None),
        (5, "file", None),
        (6, "socket", None),
    ]
    listener, log, connection = process.descriptors
    assert listener.what == "TCP listener 0.0.0.0:80"
    assert (log.what, log.flags) == ("/srv/data/log", ("write",))
    assert connection.what == "TCP 10.0.0.1:80 -> 10.0.0.2:4000"
    assert (process.command, process.directory, process.directory_line) == (SERVER.arguments, "/srv/data/sub", 3)
    assert take_state(trace, 1).processes[0].directory_line is None


def test_the_tree_names_the_command(trace):
    (root,) = grow_tree(trace).roots
    assert (root.born, root.programs[0].command) == (False, SERVER.arguments)


def test_an_object_is_followed_by_what_the_snapshot_says_of_it(trace):
    assert [each.line for each in follow(trace, "peer 10.0.0.2:4000").happenings] == [2]
    assert [each.line for each in follow(trace, "path /srv/data/log").happenings] == [1]
    with pytest.raises(NoSuchObjectError, match=r"fd 4 = TCP listener 0.0.0.0:80 is open, but no call"):
        follow(trace, "fd 4")


def test_a_line_is_explained_with_it(trace):
    assert "10.0.0.2:4000" in str(explain_line(trace, 2))


def test_the_library_hands_it_to_every_question():
    lines = CALLS.splitlines(keepends=True)
    known = open_trace(lines, known=KNOWN)
    assert [peer.peer for peer in known.peers().peers] == ["10.0.0.2:4000"]
    assert known.state().processes[0].command == SERVER.arguments
    assert "/srv/data/log" in {file.path for file in known.files().files}
    assert known.calls("write").where('fd.path == "/srv/data/log"').count() == 1
    assert open_trace(lines).peers().peers == ()


def test_a_snapshot_that_is_none_is_an_error(trace):
    Path(f"{trace}.proc.json").write_text("[]")
    for ask in (take_state, grow_tree, lambda path: follow(path, "pid 7"), lambda path: explain_line(path, 1)):
        with pytest.raises(UnreadableError, match="not a snapshot"):
            ask(trace)


def test_a_process_without_a_line_is_told_by_what_proc_shows(tmp_path):
    """It may stand where strace cannot stop it, as the parent of a vfork does."""
    parent = ProcessState(7, executable="/bin/a", threads=(ThreadState(7, state="D", call="vfork"),), children=(8,))
    child = ProcessState(8, executable="/bin/b", threads=(ThreadState(8, state="T"),))
    path = tmp_path / "a.strace"
    path.write_text("9 1.0 getpid() = 9\n")
    store(Snapshot(before=Moment(1.0, (parent, child)), traced=(7, 9)), str(path))
    report = analyze(str(path))
    (wait,) = report.waiting
    assert (wait.process, wait.call, wait.line) == ("a (pid 7)", "vfork", 0)
    assert "child b (pid 8) to execute a program" in wait.reason
    assert "a (pid 7) in vfork\n" in "".join(formatter("full").report(report))


def test_the_head_names_the_command_line_of_an_attached_process(tmp_path):
    """Of several servers in one language only their scripts differ."""
    path = tmp_path / "a.strace"
    path.write_text(CALLS)
    store(KNOWN, str(path))
    assert analyze(str(path)).overview.command == ("server", "--port", "80")


def test_a_stopped_process_is_told_although_the_trace_has_a_line_of_it(tmp_path):
    process = ProcessState(7, executable="/bin/a", threads=(ThreadState(7, state="T", call="poll"),))
    path = tmp_path / "a.strace"
    path.write_text("7 1.0 --- stopped by SIGSTOP ---\n")
    store(Snapshot(before=Moment(1.0, (process,)), traced=(7,)), str(path))
    report = analyze(str(path))
    assert report.input.doubt is None
    (wait,) = report.waiting
    assert (wait.process, wait.reason) == (
        "a (pid 7)",
        "it is stopped (SIGSTOP, or Ctrl-Z): kill -CONT continues it",
    )


def test_an_identifier_of_system_v_is_no_descriptor(tmp_path):
    path = tmp_path / "a.strace"
    path.write_text(
        '7 1.0 openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3\n'
        "7 1.1 semtimedop(3, [{sem_num=0, sem_op=-1, sem_flg=0}], 1, NULL <unfinished ...>\n"
    )
    assert [wait.object for wait in analyze(str(path)).waiting] == ["semaphore set 3"]
    path.write_text("7 1.1 msgrcv(0,  <detached ...>\n")
    assert [wait.object for wait in analyze(str(path)).waiting] == ["message queue 0"]


def test_a_stopped_process_stands_in_a_call_that_has_a_name(tmp_path):
    """The look names those calls in which a process waits; of others it has the number."""
    process = ProcessState(7, executable="/bin/a", threads=(ThreadState(7, state="T", call="109"),))
    path = tmp_path / "a.strace"
    path.write_text("7 1.0 --- stopped by SIGSTOP ---\n")
    store(Snapshot(before=Moment(1.0, (process,)), traced=(7,)), str(path))
    assert [wait.call for wait in analyze(str(path)).waiting] == ["system call 109"]


def test_a_wait_that_the_end_of_the_time_ended_is_told_as_one_of_that_moment(tmp_path):
    """The process then ended by itself: its end is in the trace, too."""
    process = ProcessState(7, executable="/bin/a", directory="/srv", threads=(OPENING,))
    path = tmp_path / "a.strace"
    path.write_text("7 1.0 getpid() = 7\n7 9.0 exit_group(0) = ?\n7 9.1 +++ exited with 0 +++\n")
    moment = Moment(1.0, (process,))
    store(Snapshot(before=moment, after=moment, ender=5, traced=(7,)), str(path))
    (wait,) = analyze(str(path)).waiting
    assert wait.reason.startswith("when the time of --for was over: it waits for another process to open the FIFO")


def test_a_file_is_called_a_fifo_where_proc_shows_it(tmp_path):
    process = ProcessState(7, executable="/bin/a", directory="/srv", threads=(OPENING,))
    path = tmp_path / "a.strace"
    path.write_text('7 1.0 openat(AT_FDCWD, "q", O_RDONLY <detached ...>\n')
    (doubtful,) = analyze(str(path)).findings
    store(Snapshot(before=Moment(1.0, (process,)), traced=(7,)), str(path))
    (found,) = analyze(str(path)).findings
    assert "if this is a FIFO" in doubtful.title
    assert found.title == "open of q does not return: no process opens the other end for writing"
    assert (doubtful.confidence, found.confidence) == ("possible", "likely")


def test_threads_that_idle_stand_last_as_one_entry(tmp_path):
    """A thread that waits for a child says more than a pool that waits for work."""
    idle = tuple(ThreadState(tid, state="S", call="futex", arguments=(64 * tid, 0x80, 0, 0, 0, 0)) for tid in (8, 9))
    first = ThreadState(7, state="S", call="wait4", arguments=(20, 0, 0, 0, 0, 0))
    words = tuple(Futex(tid, 64 * tid, 0, inner=True) for tid in (8, 9))
    pool = ProcessState(7, executable="/bin/a", threads=(first, *idle), children=(20,))
    child = ProcessState(20, executable="/bin/b", threads=(ThreadState(20, state="R"),))
    path = tmp_path / "a.strace"
    calls = [f"{tid} 1.0 futex({64 * tid:#x}, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>\n" for tid in (8, 9)]
    path.write_text("".join([*calls, "7 1.0 wait4(20,  <unfinished ...>\n"]))
    store(Snapshot(before=Moment(1.0, (pool, child), futexes=words), traced=(7,)), str(path))
    told = [(each.call, each.threads, each.object) for each in analyze(str(path)).waiting]
    assert told == [("wait4", 1, "child 20"), ("futex", 2, "")]


def test_the_tree_names_the_process_that_has_a_lock(tmp_path):
    """Also one that inherited it: a lock of flock belongs to the open file description."""
    path = tmp_path / "a.strace"
    opened = '{} openat(AT_FDCWD, "/srv/lock", O_RDWR|O_CREAT, 0600) = 3\n'
    start = '7 execve("/bin/a", ["a"], 0x7ffe /* 1 var */) = 0\n'
    fork = "7 clone(child_stack=NULL, flags=SIGCHLD) = {}\n"
    taken = opened.format(7) + "7 flock(3, LOCK_EX) = 0\n"
    waits = opened.format(8).replace("= 3", "= 4") + "8 flock(4, LOCK_EX <unfinished ...>\n"

    def said(*lines):
        path.write_text("".join((start, *lines, waits)))
        (root,) = grow_tree(str(path), waits=True).roots
        return next(wait.reason for child in root.children for wait in child.waiting if child.pid == 8)

    assert "the lock on the file that a (pid 7) has taken at line 3" in said(taken, fork.format(8), "8 close(3) = 0\n")
    inherited = said(taken, fork.format(9), "9 getpid() = 9\n", "7 close(3) = 0\n", fork.format(8))
    assert "a (pid 7) has taken at line 3; a (pid 9) kept it" in inherited
    released = said(taken, "7 flock(3, LOCK_UN) = 0\n", fork.format(8), "8 close(3) = 0\n")
    assert "until another process releases its lock" in released
