"""Programs that hang, for the tests of `run -p`: each says "ready" when only its last call is left to make."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

DEADLOCK = """
import ctypes, threading
c = ctypes.CDLL(None)
a, b = (ctypes.create_string_buffer(64) for _ in "ab")
together = threading.Barrier(3)
def take(first, second):
    c.pthread_mutex_lock(first)
    together.wait()
    c.pthread_mutex_lock(second)
for pair in ((a, b), (b, a)):
    threading.Thread(target=take, args=pair).start()
together.wait()
print("ready", flush=True)
"""
OWNED_AND_BUSY = """
import ctypes, threading, time
c = ctypes.CDLL(None)
a = ctypes.create_string_buffer(64)
c.pthread_mutex_lock(a)
threading.Thread(target=c.pthread_mutex_lock, args=(a,)).start()
print("ready", flush=True)
time.sleep(600)
"""
TAKEN_TWICE = """
import ctypes
c = ctypes.CDLL(None)
a = ctypes.create_string_buffer(64)
c.pthread_mutex_lock(a)
print("ready", flush=True)
c.pthread_mutex_lock(a)
"""
OWNER_ENDED = """
import ctypes, threading
c = ctypes.CDLL(None)
a = ctypes.create_string_buffer(64)
thread = threading.Thread(target=c.pthread_mutex_lock, args=(a,))
thread.start()
thread.join()
print("ready", flush=True)
c.pthread_mutex_lock(a)
"""
RECURSIVE_AND_ROBUST = """
import ctypes, threading, time
c = ctypes.CDLL(None)
kind, a = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
c.pthread_mutexattr_init(kind)
c.pthread_mutexattr_setrobust(kind, 1)
c.pthread_mutex_init(a, kind)
c.pthread_mutex_lock(a)
threading.Thread(target=c.pthread_mutex_lock, args=(a,)).start()
print("ready", flush=True)
time.sleep(600)
"""
INHERITING = RECURSIVE_AND_ROBUST.replace("setrobust", "setprotocol")
"""With PTHREAD_PRIO_INHERIT: FUTEX_LOCK_PI."""
JOINING = """
import ctypes, threading
c = ctypes.CDLL(None)
other = ctypes.c_ulong()
sleeper = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: c.sleep(600))
c.pthread_create(ctypes.byref(other), None, sleeper, None)
print("ready", flush=True)
c.pthread_join(other, None)
"""
UNOWNED = """
import threading
a, b = threading.Lock(), threading.Lock()
together = threading.Barrier(3)
def take(first, second):
    with first:
        together.wait()
        second.acquire()
for pair in ((a, b), (b, a)):
    threading.Thread(target=take, args=pair).start()
together.wait()
print("ready", flush=True)
"""
"""Locks of Python are semaphores: the memory names no owner."""
FLOCK = """
import fcntl, os, sys
file = open(sys.argv[1], "w")
if sys.argv[2] == "hold":
    fcntl.flock(file, fcntl.LOCK_EX)
    print("ready", flush=True)
    os.read(0, 1)
print("ready", flush=True)
fcntl.flock(file, fcntl.LOCK_EX)
"""
PIPE = """
import os, subprocess
reading, writing = os.pipe()
child = subprocess.Popen(["sleep", "600"], pass_fds=[writing])
os.close(writing)
print("ready", flush=True)
try:
    os.read(reading, 1)
finally:
    child.kill()
"""


@contextlib.contextmanager
def hanging(script, *arguments):
    """Start a program, wait until it hangs, and yield its process; kill it at the end."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            wait_until_it_stands(process.pid)
            yield process
        finally:
            process.kill()


def wait_until_it_stands(pid):
    """Wait until every thread of a process sleeps, and none was woken between two looks."""
    limit = time.monotonic() + 60
    before = None
    while (now := _switches(pid)) is None or now != before:
        assert time.monotonic() < limit, f"process {pid} does not come to rest"
        before = now
        time.sleep(0.03)


def _switches(pid):
    """Return how often each thread was switched to and from; None if one of them runs, or has just ended."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            status = (task / "status").read_text()
        except OSError:
            return None
        if "\nState:\tS" not in status:
            return None
        found[task.name] = re.findall(r"ctxt_switches:\t(\d+)", status)
    return found
