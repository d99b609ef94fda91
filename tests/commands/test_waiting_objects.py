"""What a look at a living process shows of the objects that its threads wait for: no strace is needed for that."""

import ctypes
import os
import sys
from pathlib import Path

import hung
import pytest

from tracediag.evidence.blocking import chain_of
from tracediag.recording.attaching import Attached
from tracediag.recording.proc import look
from tracediag.recording.proc.futexes import _Waiting
from tracediag.recording.proc.mappings import Sharers
from tracediag.snapshot import (
    Futex,
    Held,
    Holder,
    Moment,
    ProcessState,
    Registered,
    SocketState,
    ThreadState,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="reads x86-64 calls")

_START = """
import ctypes, os, select, signal, socket, sys, time
c = ctypes.CDLL(None)
def ready(): print("ready", flush=True)
"""
EVENTFD = "fd = os.eventfd(0); ready(); os.read(fd, 8)"
TIMERFD = "fd = c.timerfd_create(1, 0); ready(); os.read(fd, 8)"
SIGNALFD = """
mask = ctypes.c_uint64(1 << (signal.SIGUSR1 - 1))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
fd = c.signalfd(-1, ctypes.byref(mask), 0)
ready()
os.read(fd, 128)
"""
INOTIFY = "fd = c.inotify_init(); c.inotify_add_watch(fd, b'/tmp', 0x400); ready(); os.read(fd, 4096)"
ZOMBIE = """
signal.signal(signal.SIGCHLD, lambda *_: None)
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
ready()
signal.pause()
"""
OWN_PIPE = "r, w = os.pipe(); ready(); os.read(r, 1)"
UNACCEPTED = """
s = socket.create_server(("127.0.0.1", 0))
k = socket.create_connection(s.getsockname())
ready()
k.recv(1)
"""
SELECTED = """
a, b = socket.socketpair()
d, e = socket.socketpair()
e.send(b"waits")
ready()
select.select([a], [], [])
"""
PAIR = """
a, b = socket.socketpair()
if os.fork() == 0:
    a.close()
    time.sleep(600)
b.close()
ready()
poll = select.poll()
poll.register(a, select.POLLIN)
poll.poll()
"""
CHILDREN = """
r, w = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        os.close(r)
        os.write(w, bytes(1 << 17))
        os._exit(0)
os.close(w)
ready()
os.wait()
"""
SEMAPHORE = """
op = (ctypes.c_short * 3)(0, -1, 0)
ident = c.semget(0, 1, 0o1600)
ready()
c.semop(ident, ctypes.byref(op), 1)
"""
NAMED = """
c.sem_open.restype = ctypes.c_void_p
word = ctypes.c_void_p(c.sem_open(b"/tracediag-test-%d" % os.getpid(), 0o100, 0o600, 0))
ready()
c.sem_wait(word)
"""
READERS = """
import threading
lock = ctypes.create_string_buffer(56)
c.pthread_rwlock_rdlock(lock)
threading.Thread(target=c.pthread_rwlock_wrlock, args=(lock,), daemon=True).start()
ready()
time.sleep(600)
"""
FORKED = """
import threading
lock = ctypes.create_string_buffer(40)
held = threading.Event()
threading.Thread(target=lambda: (c.pthread_mutex_lock(lock), held.set(), time.sleep(600)), daemon=True).start()
held.wait()
if os.fork() == 0:
    c.pthread_mutex_lock(lock)
ready()
time.sleep(600)
"""
SIGSUSPEND = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.signal(signal.SIGHUP, lambda *_: None)
mask = ctypes.c_uint64(1 << (signal.SIGUSR1 - 1))
os.kill(os.getpid(), signal.SIGUSR1)
ready()
c.sigsuspend(ctypes.byref(mask))
"""
SIGWAIT = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, signal.SIGTERM])
ready()
signal.sigwait([signal.SIGHUP, signal.SIGTERM])
"""
FIFO = """
import tempfile
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.mkfifo("queue")
    ready()
    os.open("queue", os.O_RDONLY)
"""
DATAGRAM = """
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 0))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", server.getsockname()[1]))
if os.fork() == 0:
    time.sleep(600)
server.close()
ready()
client.recv(1)
"""
GROUP = """
pid = os.fork()
if pid == 0:
    os.setsid()
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
if os.fork() == 0:
    time.sleep(600)
ready()
os.waitpid(0, 0)
"""
SHARED = """
import mmap
area = mmap.mmap(-1, 4096)
word = ctypes.byref(ctypes.c_char.from_buffer(area))
c.sem_init(word, 1, 0)
if %d and os.fork() == 0:
    time.sleep(600)
ready()
c.sem_wait(word)
"""
MASTER = """
master, slave = os.openpty()
if os.fork() == 0:
    os.close(master)
    os.read(slave, 1)
os.close(slave)
ready()
os.read(master, 1)
"""
FEEDER = """
import threading
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(r)
    feeder = threading.Thread(target=os.write, args=(w, bytes(1 << 17)))
    feeder.start()
    feeder.join()
os.close(w)
ready()
os.waitpid(pid, 0)
"""
WORKER_DIED = """
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGKILL)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
if os.fork() == 0:
    time.sleep(600)
ready()
os.read(r, 1)
"""
SHOWN = [
    (WORKER_DIED, " has ended (killed by SIGKILL), and was not waited for"),
    (SIGSUSPEND, "it handles: SIGHUP or SIGINT; SIGUSR1 is pending, but rt_sigsuspend has it in its mask"),
    (SIGWAIT, "it waits for SIGHUP or SIGTERM (sigwait)"),
    (FIFO, "/queue for writing: open returns then"),
    (DATAGRAM, "it waits for a datagram from 127.0.0.1:"),
    (DATAGRAM, " has open on this host; python"),
    (GROUP, "which has ended, is in another process group ("),
    (SHARED % 1, " of memory that processes share; python"),
    (SHARED % 0, "; no other process maps it: the process that should have woken this one has ended"),
    (MASTER, "it waits for output on the terminal /dev/pts/"),
    (MASTER, "waits for input on the terminal /dev/pts/"),
    (FEEDER, "waits for another thread to wake the futex at 0x"),
    (FEEDER, ": a deadlock, no process of it can continue"),
    (EVENTFD, "it waits for a write to the eventfd fd 3 (count 0)"),
    (TIMERFD, "it waits for the timer of fd 3, which is disarmed (timerfd_settime with it_value 0): it never fires"),
    (SIGNALFD, "it waits for SIGUSR1, by signalfd fd 3"),
    (INOTIFY, "it waits for an event of inotify fd 3, which watches 1 file or folder for IN_DELETE_SELF"),
    (ZOMBIE, "has ended already: that SIGCHLD came before the wait"),
    (OWN_PIPE, "whose write end only the process itself has open: a deadlock, no thread of it can continue"),
    (UNACCEPTED, "listens there and has not accepted the connection: a deadlock, no thread of it can continue"),
    (SELECTED, "which only the process itself has open; fd 5 has data to read, and is not among them"),
    (PAIR, "it waits for data from the other end of fd 3, which python"),
    (SEMAPHORE, "to be at least 1: its value is 0"),
    (NAMED, " with the value 0: another process has to sem_post it"),
]  # fmt: skip

PIPE = Held(3, "pipe:[7]", flags=1)


def settled(pid):
    """Return a look at a process that stands in its call, as its children do."""
    while True:
        moment = look([pid])
        family = [process for process in moment.processes if pid in (process.pid, process.parent)]
        if all(thread.call or thread.state == "Z" for process in family for thread in process.threads):
            return moment


def removed(moment):
    """Remove what outlives a process."""
    for thread in moment.threads():
        if thread.ipc is not None:
            ctypes.CDLL(None).semctl(thread.ipc.ident, 0, 0)
    for futex in moment.futexes:
        if futex.file.startswith("/dev/shm/"):
            Path(futex.file).unlink()


def sentences(script):
    with hung.hanging(_START + script) as process:
        moment = settled(process.pid)
        chains = [chain_of(moment, thread.tid) for thread in moment.threads()]
        removed(moment)
        for child in moment.process(process.pid).children:
            os.kill(child, 9)
        return [chain.sentence for chain in chains if chain is not None]


@pytest.mark.parametrize(("script", "said"), SHOWN)
def test_the_object_is_named_and_what_would_end_the_wait(script, said):
    assert any(said in sentence for sentence in sentences(script))


def test_children_that_wait_for_their_parent_are_a_circle():
    said = sentences(CHILDREN)[0]
    assert "waits for room in pipe:[" in said
    assert said.endswith(": a deadlock, no process of it can continue")


def test_readers_of_a_lock_are_counted():
    assert "which 1 thread holds for reading (only thread " in " ".join(sentences(READERS))


def test_a_lock_copied_by_fork_names_the_thread_of_the_parent():
    said = next(sentence for sentence in sentences(FORKED) if "when it forked" in sentence)
    assert "no thread of the child can release the copy" in said


def _of(*processes, **others):
    return Moment(1.0, processes, **others)


def test_a_process_with_other_threads_is_in_no_circle_with_itself():
    """Another thread may write into the pipe, or accept the connection."""
    held = (Held(3, "pipe:[7]", flags=0), Held(4, "pipe:[7]", flags=1))
    reader, other = ThreadState(1, call="read", arguments=(3, 0, 1, 0, 0, 0)), ThreadState(2, state="R")
    known = {"sought": ("pipe:[7]",)}
    alone = _of(ProcessState(1, threads=(reader,), descriptors=held), **known)
    both = _of(ProcessState(1, threads=(reader, other), descriptors=held), **known)
    assert chain_of(alone, 1).sentence.startswith("it waits for data in pipe:[7], whose write end no process")
    assert not chain_of(both, 1).circle


def test_an_epoll_set_names_the_peer_and_the_timeout():
    server = ProcessState(2, executable="/usr/bin/db", threads=(ThreadState(2, state="S", call="pause"),))
    sockets = (
        SocketState(7, "TCP", "127.0.0.1:9", "127.0.0.1:8"),
        SocketState(8, "TCP", "127.0.0.1:8", "127.0.0.1:9", queued=12),
    )
    entries = (Registered(5, 1, 0),)
    descriptors = (Held(4, "anon_inode:[eventpoll]", epoll=entries), Held(5, "socket:[7]"))

    def said(timeout):
        thread = ThreadState(1, call="epoll_wait", arguments=(4, 0, 8, timeout, 0, 0))
        client = ProcessState(1, threads=(thread,), descriptors=descriptors)
        return chain_of(_of(client, server, sockets=sockets, holders=(Holder(2, 3, "socket:[8]"),)), 1).sentence

    whole = "it waits for data from 127.0.0.1:8, which db (pid 2) has open on this host with 12 bytes unread"
    assert said(0xFFFF_FFFF) == f"{whole}; db (pid 2) waits for a signal, of which it handles none"
    assert said(5000) == f"{whole}, with a timeout; db (pid 2) waits for a signal, of which it handles none"


def test_a_wait_that_no_other_thread_can_end_is_hopeless():
    def chain(operation, timeout):
        thread = ThreadState(1, call="futex", arguments=(64, operation, 0, timeout, 0, 0))
        return chain_of(_of(ProcessState(1, threads=(thread,)), futexes=(Futex(1, 64, 0),)), 1)

    assert chain(0x189, 0).hopeless
    assert chain(0x189, 4096) is None  # with a timeout
    assert chain(0x109, 0) is None  # shared with other processes


def test_the_lock_of_a_musl_stream_names_its_owner():
    """MAYBE_WAITERS stands above the tid: __lockfile.c."""
    waiting = ThreadState(7, call="futex", arguments=(64, 0x80, 0x4000_0009, 0, 0, 0))
    process = ProcessState(7, threads=(waiting,))
    memory = {64: 0x4000_0009}
    found = _Waiting(waiting, {7: 7, 9: 9}, memory.get, process).futex(Sharers())
    assert (found.kind, found.owner) == ("stream", 9)


def test_a_call_that_strace_cannot_stop_is_told_with_its_path():
    """A file system that does not answer: FUSE and NFS wait where no signal is taken."""
    stuck = ThreadState(7, state="S", call="statx", path="/mnt/share", wchan="request_wait_answer")
    recording = Attached.__new__(Attached)
    recording.pids = [7]
    said = recording._why([stuck])
    assert said.startswith(": it stands in statx of /mnt/share, where strace cannot stop it (in request_wait_answer of")
    assert recording._why([ThreadState(7, state="R")]).startswith(": it computes")


def test_children_that_were_not_all_followed_prove_no_circle():
    """Five children that wait for their parent's pipe are one more than are followed."""

    def family(count):
        def standing(pid, call, fd):
            return (ThreadState(pid, state="S", call=call, arguments=(fd, 0, 0, 0, 0, 0)),)

        pids = range(2, 2 + count)
        parent = ProcessState(1, threads=standing(1, "wait4", 0xFFFF_FFFF), children=tuple(pids))
        children = [ProcessState(pid, threads=standing(pid, "write", 3), descriptors=(PIPE,)) for pid in pids]
        return chain_of(_of(parent, *children, holders=(Holder(1, 3, "pipe:[7]", 0),)), 1)

    assert family(4).circle
    assert not family(5).circle
