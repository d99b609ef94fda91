"""The table against strace itself: the number of values printed, and their meaning."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tracediag import read
from tracediag.trace.errnos import socket_error
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import calls, names
from tracediag.trace.values import names_of, number_of, text_of

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
"""Tells the numbers of the calls; of linux-libc-dev."""

PROGRAM = """
import os, select, signal, socket
gone = socket.socket(); gone.bind(("127.0.0.1", 0)); name = gone.getsockname(); gone.close()
s = socket.socket(); s.setblocking(False); s.connect_ex(name); select.select([], [s], [], 1)
s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
a, b = socket.socketpair(); a.sendall(b"x=1, y"); b.recv(99)
e = select.epoll(); e.register(b, select.EPOLLIN); e.poll(0.01)
fd = os.open("file", os.O_RDWR | os.O_CREAT, 0o640); os.pwrite(fd, b"abc", 5); os.rename("file", "other")
pid = os.fork() or os._exit(3)
os.waitpid(pid, 0)
"""

EVERY_CALL = """
import ctypes, sys
for number in map(int, sys.argv[1].split(",")):
    ctypes.CDLL(None).syscall(number, *[ctypes.c_long(-1)] * 6)
"""

FEWER = {"mknod", "mknodat", "reboot", "fchmodat", "faccessat", "clone", "syslog"}
"""Leave out what stands last, with the arguments given here; clone prints names."""


def record(folder: Path, program: str, *arguments: str, options: tuple[str, ...] = ()) -> list[Syscall]:
    trace = folder / "trace"
    command = ["strace", "-f", "-o", str(trace), *options, sys.executable, "-I", "-S", "-c", program, *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if "ptrace" in run.stderr and "not permitted" in run.stderr:
        pytest.skip("strace may not trace here")
    return [event for event in read(str(trace)) if isinstance(event, Syscall)]


def test_named_arguments_are_those_that_the_program_passed(tmp_path):
    recorded = record(tmp_path, PROGRAM)

    def first(name, **wanted):
        return next(
            event
            for event in recorded
            if event.name in name.split() and all(_has(event, *one) for one in wanted.items())
        )

    assert first("openat open", path="file").number("mode") == 0o640
    assert "O_CREAT" in names_of(first("openat open", path="file")["flags"])
    assert first("pwrite64 pwrite", buf="abc").number("offset") == 5
    assert str(text_of(first("rename", path="file")["newpath"])) == "other"
    sent = first("sendto send", buf="x=1, y")
    assert sent.number("len") == 6
    assert first("recvfrom recv", buf="x=1, y").number("len") == 99
    control = first("epoll_ctl")
    assert control.number("fd") == first("recvfrom recv", buf="x=1, y").number("fd")
    assert first("epoll_wait epoll_pwait").number("fd") == control.number("epfd")
    assert "SIGCHLD" in names_of(first("clone")["flags"])
    assert first("wait4").number("pid") == first("clone").result
    assert [socket_error(event) for event in recorded if event.name == "getsockopt"][-1] == "ECONNREFUSED"


@pytest.mark.skipif(not HEADER.exists(), reason="the header with the numbers of the calls is not installed")
def test_strace_prints_as_many_values_as_the_table_has_names(tmp_path):
    """Every call that the program's start-up does not need is made to fail before it runs."""
    needed = {event.name for event in record(tmp_path, EVERY_CALL, "39")} | {"rt_sigreturn", "exit"}
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text()))
    spared = [name for name in numbers if name in calls() and name not in needed]
    known = ",".join(f"?{name}" for name in spared)
    recorded = record(
        tmp_path,
        EVERY_CALL,
        ",".join(numbers[name] for name in spared),
        options=("-e", f"trace={known}", "-e", f"inject={known}:error=ENOSYS"),
    )
    wrong = {
        event.name: event.body
        for event in recorded
        if event.name in spared and not _fits(len(event.args), event) and "resuming" not in event.body
    }
    assert len({event.name for event in recorded} & set(spared)) > 250
    assert not wrong


def _fits(count: int, event: Syscall) -> bool:
    expected = len(names(event.name, event.body) or ())
    return count == expected or (count < expected and event.name in FEWER)


def _has(event: Syscall, name: str, wanted: object) -> bool:
    value = event.arg(name)
    text = text_of(value)
    return (str(text) if text is not None else number_of(value)) == wanted
