"""A shell gives its job the terminal; the job reads the terminal once it is in the foreground."""

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
        time.sleep(0.05)
        job()
        os._exit(0)
    os.setpgid(child, child)
    os.tcsetpgrp(0, child)
    os.waitpid(child, 0)
    os._exit(0)


session, terminal = pty.fork()
if session == 0:
    shell()
time.sleep(0.2)
os.write(terminal, b"go\n")
os.waitpid(session, 0)
sys.exit(0)
