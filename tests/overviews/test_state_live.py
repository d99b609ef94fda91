"""`state` against /proc: a real program under strace, stopped by SIGSTOP in the middle of its work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracediag.overviews.state.moment import take_state

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")

PROGRAM = """
import array, fcntl, mmap, os, select, signal, socket, sys
folder = sys.argv[1]
first = os.open(folder + "/first", os.O_RDWR | os.O_CREAT | os.O_APPEND)
second = os.open(folder + "/second", os.O_RDWR | os.O_CREAT)
gone = os.open(folder + "/gone", os.O_RDWR | os.O_CREAT)
copy, high = os.dup(first), os.dup2(second, 77)
os.close(gone)
reader, writer = os.pipe()
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
served, _ = listener.accept()
served.setblocking(False)
left, right = socket.socketpair()
left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [second]))])
data, passed, _, _ = right.recvmsg(1, 64)
poll = select.epoll()
poll.register(listener, select.EPOLLIN | select.EPOLLET)
poll.register(served, select.EPOLLIN | select.EPOLLRDHUP)
poll.register(copy2 := os.dup(reader), select.EPOLLIN)
poll.register(reader, select.EPOLLIN)
os.close(copy2)
poll.unregister(reader)
fcntl.flock(first, fcntl.LOCK_EX)
fcntl.lockf(second, fcntl.LOCK_SH, 100, 0)
fcntl.lockf(second, fcntl.LOCK_UN, 10, 40)
area = mmap.mmap(-1, 3 << 20)
zombie = os.fork()
if not zombie:
    os._exit(3)
child = os.fork()
if not child:
    os.close(writer)
    os.close(first)
    os.read(reader, 1)
    os._exit(0)
os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
os.kill(os.getpid(), signal.SIGSTOP)
for number in range(3, 90):
    try: os.close(number)
    except OSError: pass
for number in range(20):
    os.open("/dev/null", os.O_RDONLY)
os.wait(), os.wait()
"""


def stopped(trace: Path) -> tuple[int, int] | None:
    """Return the line and the pid of the stop, once the trace shows it."""
    for number, line in enumerate(trace.read_text().splitlines() if trace.exists() else (), start=1):
        if "--- stopped by SIGSTOP ---" in line:
            return number, int(line.split()[0])
    return None


def wait_for(what):
    for _ in range(1500):
        if (found := what()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("the program did not stop")


def children_of(pid: int) -> dict[int, str]:
    """Return the state letter of each child, by pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (entry / "stat").exists():
            state, parent = (entry / "stat").read_text().rpartition(") ")[2].split()[:2]
            if int(parent) == pid:
                found[int(entry.name)] = state
    return found


def descriptors_of(pid: int) -> dict[int, str]:
    return {int(entry.name): str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}


def fdinfo(pid: int, number: int) -> str:
    return Path(f"/proc/{pid}/fdinfo/{number}").read_text()


def settled(pid: int, trace: Path) -> dict[int, str] | None:
    """Return the children, once the second one is inside its read."""
    children = children_of(pid)
    lines = trace.read_text().splitlines()
    last = [next((line for line in reversed(lines) if line.startswith(f"{child} ")), "") for child in children]
    return children if len(children) == 2 and any(" read(" in line and ") = " not in line for line in last) else None


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Run the program; return the trace, the line of the stop, and what /proc said of it there."""
    folder = tmp_path_factory.mktemp("live")
    trace = folder / "trace"
    command = ["strace", "-f", "-ttt", "-yy", "-o", str(trace), sys.executable, "-c", PROGRAM, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as strace:
        line, pid = wait_for(lambda: stopped(trace))
        children = wait_for(lambda: settled(pid, trace))
        alive = [pid, *(child for child, state in children.items() if state != "Z")]
        proc = {
            "pid": pid,
            "children": children,
            "fd": {each: descriptors_of(each) for each in alive},
            "fdinfo": {(each, number): fdinfo(each, number) for each in alive for number in descriptors_of(each)},
            "maps": Path(f"/proc/{pid}/maps").read_text(),
        }
        line = len(trace.read_text().splitlines())
        os.kill(pid, signal.SIGCONT)
        assert strace.wait(60) == 0
    assert len(trace.read_text().splitlines()) > line + 50
    return trace, line, proc


@pytest.fixture(scope="module")
def state(seen):
    trace, line, _ = seen
    return {process.pid: process for process in take_state(str(trace), line).processes}


def test_the_same_processes_are_alive(seen, state):
    _, _, proc = seen
    assert state.keys() == proc["fd"].keys()
    children = {child.pid: "Z" if child.ended else "alive" for child in state[proc["pid"]].children}
    assert children == {pid: "Z" if letter == "Z" else "alive" for pid, letter in proc["children"].items()}
    (zombie,) = (child for child in state[proc["pid"]].children if child.ended)
    assert zombie.ended == "exits with status 3"


def test_the_same_descriptors_are_open(seen, state):
    for pid, real in seen[2]["fd"].items():
        shown = {each.number for each in state[pid].descriptors}
        assert shown - {0, 1, 2} == set(real) - {0, 1, 2}
        assert shown | set(state[pid].unseen) == set(real) | set(state[pid].unseen)


def test_they_refer_to_the_same_things(seen, state):
    trace, _, proc = seen
    folder = str(trace.parent)
    for pid, real in proc["fd"].items():
        for each in state[pid].descriptors:
            if each.number < 3:
                continue
            link = real[each.number]
            if link.startswith(folder):
                assert (each.kind, each.what) == ("file", link)
            else:
                assert each.kind == {"soc": "socket", "pip": "pipe", "ano": "epoll"}[link[:3]]


def test_flags_are_those_of_fdinfo(seen, state):
    _, _, proc = seen
    for pid, process in state.items():
        for each in process.descriptors:
            flags = int(re.search(r"flags:\s*([0-7]+)", proc["fdinfo"][pid, each.number])[1], 8)
            if each.line is None:
                continue
            assert ("nonblock" in each.flags) == bool(flags & os.O_NONBLOCK), each
            assert ("cloexec" in each.flags) == bool(flags & os.O_CLOEXEC), each
            assert ("append" in each.flags) == bool(flags & os.O_APPEND), each


def test_shared_descriptions_and_other_ends(state, seen):
    """A dup, the copy in the child and the one received through the socket; the pipe between them."""
    pid = seen[2]["pid"]
    numbers = {each.number: each for each in state[pid].descriptors}
    second = [each for each in numbers.values() if each.what and each.what.endswith("/second")]
    assert len(second) == 3
    assert all({(holder.pid, holder.number) for holder in each.shared_with} >= {(pid, other.number)}
               for each in second for other in second if other is not each)  # fmt: skip
    assert sum("dup of fd" in each.origin for each in second) == 1
    assert sum("received by SCM_RIGHTS" in each.origin for each in second) == 1
    (child,) = (process for process in state.values() if process.pid != pid)
    (writer,) = (each for each in numbers.values() if each.what == "pipe (write end)")
    assert {holder.pid for holder in writer.other_end} == {pid, child.pid}


def test_epoll_sets_are_those_of_fdinfo(seen, state):
    _, _, proc = seen
    pid = proc["pid"]
    (epoll,) = state[pid].epolls
    real = re.findall(r"tfd:\s*(\d+) events:\s*([0-9a-f]+)", proc["fdinfo"][pid, epoll.number])
    assert sorted(entry.number for entry in epoll.entries) == sorted(int(number) for number, _ in real)
    stale = [entry.number for entry in epoll.entries if entry.stale]
    assert len(stale) == 1
    assert stale[0] not in proc["fd"][pid]  # the kernel keeps it, though that descriptor is closed
    edge = {int(number) for number, events in real if int(events, 16) & 1 << 31}
    assert {entry.number for entry in epoll.entries if "EPOLLET" in entry.events} == edge


def test_locks_are_those_of_fdinfo(seen, state):
    _, _, proc = seen
    pid = proc["pid"]
    shown = {(lock.kind, lock.exclusive, lock.range) for lock in state[pid].locks}
    assert shown == {
        ("flock", True, "whole file"),
        ("POSIX", False, "bytes 0-39"),
        ("POSIX", False, "bytes 50-99"),
    }
    real = "".join(text for (each, _), text in proc["fdinfo"].items() if each == pid)
    assert len(set(re.findall(r"lock:.*?(FLOCK|POSIX) +ADVISORY +(WRITE|READ).* (\d+ \w+)\n", real))) == len(shown)


def test_memory_is_that_of_maps(seen, state):
    _, _, proc = seen
    ranges = [tuple(int(part, 16) for part in line.split()[0].split("-")) for line in proc["maps"].splitlines()]
    memory = state[proc["pid"]].memory
    assert memory.count > 10
    for region in memory.regions:
        covered = sum(
            max(0, min(end, region.start + region.length) - max(start, region.start))
            for start, end in ranges
        )  # fmt: skip
        assert region.what == "heap (brk)" or covered == region.length, region
    # The kernel merges neighbours; what no call shows is the program, the loader, the stack and what the kernel adds.
    total = sum(end - start for start, end in ranges)
    assert 0.5 * total < memory.total <= total


def test_the_child_is_blocked_in_its_read(seen, state):
    _, _, proc = seen
    (child,) = (process for process in state.values() if process.pid != proc["pid"])
    (thread,) = child.threads
    assert thread.blocked
    assert thread.call.startswith("read(")
    assert thread.waits_for[0].endswith("pipe (read end)")
