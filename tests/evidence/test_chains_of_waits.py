"""Chains of waits as a look at /proc would show them: stopped processes, servers, polls, locks without an owner."""

import pytest

from tracediag import analyze
from tracediag.evidence.blocking import chain_of
from tracediag.recording.attaching import Attached
from tracediag.recording.proc.futexes import _Waiting
from tracediag.recording.proc.mappings import Sharers
from tracediag.snapshot import (
    Futex,
    Held,
    Holder,
    Moment,
    ProcessState,
    Registered,
    Snapshot,
    SocketState,
    ThreadState,
    resumed,
)


def _of(*processes, **others):
    return Moment(1.0, processes, **others)


def _stopped_child(**changes):
    """Return what is said of a parent that waits for a child, which stands in a read of its terminal."""
    child = ThreadState(2, **{"state": "T", "call": "read", "arguments": (0, 0, 1, 0, 0, 0), **changes})
    held = (Held(0, "/dev/pts/3"),)
    waiting = (ThreadState(1, state="S", call="wait4", arguments=(2, 0, 0, 0, 0, 0)),)
    parent = ProcessState(1, threads=waiting, children=(2,), group=1, foreground=1)
    background = ProcessState(2, executable="/bin/cat", threads=(child,), descriptors=held, group=2, foreground=1)
    return chain_of(_of(parent, background), 1).sentence


def test_a_stopped_process_is_told_with_what_stopped_it():
    assert "by SIGTTIN, since it reads /dev/pts/3: its group 2 is in the background, group 1 in" in _stopped_child()
    assert "by SIGTTOU, since it writes to /dev/pts/3" in _stopped_child(call="write")
    assert _stopped_child(call="nanosleep").endswith("is stopped (SIGSTOP, or Ctrl-Z): kill -CONT continues it")
    assert "is stopped by a tracer" in _stopped_child(state="t")
    assert "is frozen by its cgroup" in _stopped_child(state="S", wchan="do_freezer_trap")


def test_a_signal_that_another_thread_takes_is_not_kept_back():
    """It is pending for a moment only: the kernel gives it to a thread that does not block it, signal(7)."""
    usr1 = 1 << 9

    def said(blocked):
        waiting = ThreadState(1, state="S", call="pause", arguments=(0,) * 6, blocked=usr1)
        other = ThreadState(2, state="R", blocked=blocked)
        return chain_of(_of(ProcessState(1, threads=(waiting, other), pending=usr1)), 1).sentence

    assert said(usr1) == "it waits for a signal, of which it handles none; SIGUSR1 is pending, but the thread blocks it"
    assert said(0) == "it waits for a signal, of which it handles none"


def test_vfork_waits_for_the_child_that_uses_its_memory():
    parent = ProcessState(1, threads=(ThreadState(1, state="D", call="vfork", arguments=(0,) * 6),), children=(2,))
    child = ProcessState(2, executable="/bin/a", threads=(ThreadState(2, state="S", call="pause"),))
    said = chain_of(_of(parent, child), 1).sentence
    assert said.startswith("it waits for child a (pid 2) to execute a program or to end (vfork: ")


def test_a_server_with_several_threads_is_not_followed_into_one_of_them():
    """Each of them may answer; the first one waits for connections."""
    client = ProcessState(
        1,
        threads=(ThreadState(1, state="S", call="read", arguments=(3, 0, 1, 0, 0, 0)),),
        descriptors=(Held(3, "socket:[7]"),),
    )
    threads = tuple(ThreadState(tid, state="S", call="clock_nanosleep") for tid in (2, 3))
    sockets = (SocketState(7, "TCP", "127.0.0.1:9", "127.0.0.1:8"), SocketState(8, "TCP", "127.0.0.1:8", "127.0.0.1:9"))
    known = {"sockets": sockets, "holders": (Holder(2, 3, "socket:[8]"),)}
    server = ProcessState(2, executable="/usr/sbin/mariadbd", threads=threads)
    said = chain_of(_of(client, server, **known), 1).sentence
    assert said.endswith(
        "mariadbd (pid 2) has 2 threads that could do so; there, SHOW FULL PROCESSLIST shows what each waits for"
    )
    alone = ProcessState(2, executable="/usr/sbin/mariadbd", threads=threads[:1])
    assert chain_of(_of(client, alone, **known), 1).sentence.endswith("mariadbd (pid 2) stands in clock_nanosleep")


def test_a_server_that_ipv4_reaches_by_a_socket_of_ipv6_is_found():
    client = ProcessState(
        1,
        threads=(ThreadState(1, state="S", call="read", arguments=(3, 0, 1, 0, 0, 0)),),
        descriptors=(Held(3, "socket:[7]"),),
    )
    mapped = SocketState(8, "TCPv6", "[::ffff:127.0.0.1]:8", "[::ffff:127.0.0.1]:9")
    sockets = (SocketState(7, "TCP", "127.0.0.1:9", "127.0.0.1:8"), mapped)
    server = ProcessState(2, executable="/bin/node", threads=(ThreadState(2, state="R"),))
    said = chain_of(_of(client, server, sockets=sockets, holders=(Holder(2, 3, "socket:[8]"),)), 1).sentence
    assert said.endswith("which node (pid 2) has open on this host; node (pid 2) runs")


def test_a_poll_names_first_what_it_wants_to_write():
    """A program asks for room only when it has something to write; data may come at any time."""
    entries = (Registered(3, 1, 0), Registered(3, 1, 0), Registered(4, 4, 0))
    thread = ThreadState(1, call="poll", arguments=(64, 3, 0xFFFF_FFFF, 0, 0, 0), watches=entries)
    program = ProcessState(1, threads=(thread,), descriptors=(Held(3, "socket:[7]"), Held(4, "pipe:[9]", flags=1)))
    reader = ProcessState(2, executable="/bin/less", threads=(ThreadState(2, state="R"),))
    peer = ProcessState(3, executable="/bin/sshd", threads=(ThreadState(3, state="R"),))
    sockets = (SocketState(7, "TCP", "127.0.0.1:9", "127.0.0.1:8"), SocketState(8, "TCP", "127.0.0.1:8", "127.0.0.1:9"))
    holders = (Holder(2, 0, "pipe:[9]", 0), Holder(3, 3, "socket:[8]"))
    said = chain_of(_of(program, reader, peer, sockets=sockets, holders=holders), 1).sentence
    assert ": fd 4: room in pipe:[9], whose read end less (pid 2) has open; fd 3: data from" in said
    assert said.count("fd 3:") == 1
    assert said.endswith("; less (pid 2) runs")


def test_a_poll_without_events_waits_for_a_hang_up_only():
    """tail -f watches its output so, to end when the reader has gone: poll(2)."""
    entries = (Registered(4, 1, 0), Registered(1, 0, 0))
    thread = ThreadState(1, call="poll", arguments=(64, 2, 0xFFFF_FFFF, 0, 0, 0), watches=entries)
    descriptors = (Held(4, "anon_inode:inotify"), Held(1, "pipe:[9]", flags=1))
    said = chain_of(_of(ProcessState(1, threads=(thread,), descriptors=descriptors)), 1).sentence
    assert "fd 1: a hang-up or an error of pipe:[9]" in said
    assert "data in pipe:[9]" not in said


def test_a_poll_names_a_connection_of_the_program_to_itself_before_its_tools():
    entries = tuple(Registered(number, 1, 0) for number in (7, 8, 9, 5))
    thread = ThreadState(1, call="poll", arguments=(64, 4, 0xFFFF_FFFF, 0, 0, 0), watches=entries)
    tools = (Held(7, "anon_inode:[eventfd]"), Held(8, "pipe:[8]", flags=0), Held(9, "pipe:[9]", flags=0))
    program = ProcessState(1, threads=(thread,), descriptors=(*tools, Held(5, "socket:[5]"), Held(6, "socket:[6]")))
    sockets = (SocketState(5, "TCP", "127.0.0.1:9", "127.0.0.1:8"), SocketState(6, "TCP", "127.0.0.1:8", "127.0.0.1:9"))
    pipes = tuple(Holder(1, number, f"pipe:[{number}]", 1) for number in (8, 9))
    holders = (*pipes, Holder(1, 5, "socket:[5]"), Holder(1, 6, "socket:[6]"))
    said = chain_of(_of(program, sockets=sockets, holders=holders), 1).sentence
    assert "one of 4 descriptors: fd 5: data from 127.0.0.1:8" in said


def test_a_wait_that_strace_interrupted_has_its_name_in_the_later_look():
    """poll has a restart block also without a timeout: the thread then stands in restart_syscall."""

    def process(call, *timeout, watches=()):
        return ProcessState(1, threads=(ThreadState(1, call=call, arguments=(64, 1, *timeout), watches=watches),))

    before = process("poll", 0xFFFF_FFFF, watches=(Registered(5, 1, 0),))
    stands = process("restart_syscall", 0xFFFF_FFFF)
    assert resumed(stands, _of(before)) == before
    assert resumed(stands, None) is stands
    other = process("restart_syscall", 9)
    assert resumed(other, _of(before)) == other


def test_a_shell_that_waits_for_its_command_does_not_write():
    """Both have the pipe open, as after popen; only the command can write, or end, and then the shell can."""

    def said(*children):
        reading = ThreadState(1, state="S", call="read", arguments=(3, 0, 1, 0, 0, 0))
        reader = ProcessState(1, threads=(reading,), descriptors=(Held(3, "pipe:[7]", flags=0),))
        waiting = ThreadState(2, state="S", call="wait4", arguments=(0xFFFF_FFFF, 0, 0, 0, 0, 0))
        shell = ProcessState(2, executable="/bin/dash", threads=(waiting,), children=children)
        others = [ProcessState(pid, threads=(ThreadState(pid, state="R"),)) for pid in children]
        command = ProcessState(3, executable="/bin/a", threads=(ThreadState(3, state="S", call="fsync"),))
        holders = (Holder(2, 1, "pipe:[7]", 1), Holder(3, 1, "pipe:[7]", 1))
        return chain_of(_of(reader, shell, *others[1:], command, holders=holders), 1).sentence

    assert said(3).endswith("write end dash (pid 2), a (pid 3) have open; a (pid 3) stands in fsync")
    assert said(3, 4).endswith("have open")  # another child that ends may let the shell write


def test_strace_that_cannot_detach_is_ended_when_the_time_is_over(monkeypatch):
    """A thread that cannot be stopped keeps strace waiting without end."""
    recording = Attached.__new__(Attached)
    recording.snapshot = Snapshot(before=_of(ProcessState(7, threads=(ThreadState(7, state="D", call="vfork"),))))
    recording._deadline = None
    monkeypatch.setattr(Attached, "detach", lambda _: None)
    recording.expire()
    assert recording._deadline is not None


@pytest.mark.parametrize(
    ("word", "around", "private", "found"),
    [
        (0x8000_0010, {60: 0, 68: 1}, 0x80, ("mutex", None, 0)),
        (0x8000_0010, {60: 1, 68: 1}, 0x80, ("", None, 0)),  # a recursive one has a tid
        (0x8000_0010, {60: 0, 68: 0}, 0x80, ("", None, 0)),  # without waiters it is another word
        (0xFFFF_FFFF, {68: 1, 72: 0}, 0x80, ("rwlock", None, 0)),
        (0xFFFF_FFFF, {68: 1, 72: 128}, 0x80, ("", None, 0)),  # a semaphore of one process
        (0x8000_0003, {68: 2, 72: 0}, 0x80, ("rwlock", None, 3)),
    ],
)
def test_locks_of_musl_that_store_no_owner(word, around, private, found):
    """pthread_mutex_t: type, lock, waiters; pthread_rwlock_t: lock, waiters, shared; sem_t: value, waiters, private."""
    waiting = ThreadState(7, call="futex", arguments=(64, private, word, 0, 0, 0))
    futex = _Waiting(waiting, {7: 7, 9: 9}, {64: word, **around}.get, ProcessState(7, threads=(waiting,))).futex(
        Sharers()
    )
    assert (futex.kind, futex.owner, futex.readers) == found


def test_a_lock_without_an_owner_names_the_threads_that_may_hold_it():
    def said(count):
        waiting = ThreadState(1, call="futex", arguments=(64, 0x80, 0x8000_0010, 0, 0, 0))
        others = tuple(ThreadState(tid, state="S", call="nanosleep") for tid in range(2, 2 + count))
        word = Futex(1, 64, 0x8000_0010, "mutex", inner=True)
        return chain_of(_of(ProcessState(1, threads=(waiting, *others)), futexes=(word,)), 1).sentence

    whole = "it waits for the mutex at 0x40 (musl stores no owner in it); "
    assert said(1) == f"{whole}thread 2 stands in nanosleep"
    assert said(5) == f"{whole}any of 5 other threads may hold it, or one that has ended"


def test_where_to_look_for_the_owner_is_a_clause_of_its_own():
    waiting = ThreadState(7, state="S", call="futex", arguments=(64, 0x80, 0x8000_0010, 0, 0, 0))
    threads = (waiting, ThreadState(8, state="S", call="nanosleep"))
    moment = _of(ProcessState(7, threads=threads), futexes=(Futex(7, 64, 0x8000_0010, "mutex", inner=True),))
    lines = ["7 futex(0x40, FUTEX_WAIT_PRIVATE, 2147483664, NULL <unfinished ...>\n"]
    (standing,) = analyze(lines, known=Snapshot(after=moment)).waiting
    assert standing.reason.endswith(
        "thread 8 stands in nanosleep; gdb -p 7 -batch -ex 'thread apply all bt' shows where"
    )


def test_two_locks_without_owners_that_wait_for_each_other():
    def thread(tid):
        return ThreadState(tid, state="S", call="futex", arguments=(64 * tid, 0x89, 2, 0, 0, 0))

    words = tuple(Futex(tid, 64 * tid, 2, inner=True) for tid in (1, 2))
    said = chain_of(_of(ProcessState(1, threads=(thread(1), thread(2))), futexes=words), 1).sentence
    assert said.startswith("it waits for the word at 0x40 (value 2: a lock that stores no owner, of Rust or malloc")
    assert said.endswith("; every other thread waits likewise, so that none is left to wake it")


def test_a_poll_that_something_else_can_end_is_in_no_deadlock():
    """A timeout, or a second peer: a process that writes to one and reads from another may go on."""

    def chain(timeout, *more):
        entries = (Registered(3, 1, 0), *more)
        thread = ThreadState(1, call="poll", arguments=(64, len(entries), timeout, 0, 0, 0), watches=entries)
        descriptors = (Held(3, "pipe:[7]", flags=0), Held(5, "pipe:[9]", flags=0), Held(6, "anon_inode:[eventfd]"))
        reading = ThreadState(2, call="read", arguments=(4, 0, 1, 0, 0, 0))
        other = ProcessState(2, threads=(reading,), descriptors=(Held(4, "pipe:[8]", flags=0),))
        holders = (Holder(2, 5, "pipe:[7]", 1), Holder(1, 4, "pipe:[8]", 1), Holder(3, 5, "pipe:[9]", 1))
        return chain_of(_of(ProcessState(1, threads=(thread,), descriptors=descriptors), other, holders=holders), 1)

    assert chain(0xFFFF_FFFF).circle
    assert chain(0xFFFF_FFFF, Registered(6, 1, 0)).circle  # its own eventfd
    assert not chain(5000).circle
    assert not chain(0xFFFF_FFFF, Registered(5, 1, 0)).circle


def test_a_process_with_very_many_threads_is_not_followed_into_them():
    threads = tuple(
        ThreadState(tid, state="S", call="futex", arguments=(64, 0x80, 0, 0, 0, 0)) for tid in range(1, 300)
    )
    words = tuple(Futex(tid, 64, 0, inner=True) for tid in range(1, 300))
    assert chain_of(_of(ProcessState(1, threads=threads), futexes=words), 1) is None
