"""Programs that hang, for the tests of `run -p`: each says "ready" when it does."""

from __future__ import annotations

import contextlib
import subprocess
import sys

DEADLOCK = """
import ctypes, threading, time
c = ctypes.CDLL(None)
a, b = (ctypes.create_string_buffer(64) for _ in "ab")
def take(first, second):
    c.pthread_mutex_lock(first)
    time.sleep(0.3)
    c.pthread_mutex_lock(second)
for pair in ((a, b), (b, a)):
    threading.Thread(target=take, args=pair).start()
time.sleep(0.6)
print("ready", flush=True)
"""
OWNED_AND_BUSY = """
import ctypes, threading, time
c = ctypes.CDLL(None)
a = ctypes.create_string_buffer(64)
c.pthread_mutex_lock(a)
threading.Thread(target=c.pthread_mutex_lock, args=(a,)).start()
time.sleep(0.3)
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
time.sleep(0.3)
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
import threading, time
a, b = threading.Lock(), threading.Lock()
def take(first, second):
    with first:
        time.sleep(0.3)
        second.acquire()
for pair in ((a, b), (b, a)):
    threading.Thread(target=take, args=pair).start()
time.sleep(0.6)
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
            yield process
        finally:
            process.kill()
