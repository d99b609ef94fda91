"""A shell puts its job into the background; the job reads the terminal, and is stopped."""

import os
import pty
import signal
import sys
import time


def job():
    os.read(0, 10)


def shell():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.setpgid(0, 0)
        job()
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os._exit(0)


session, terminal = pty.fork()
if session == 0:
    shell()
time.sleep(0.2)
os.waitpid(session, 0)
sys.exit(0)
