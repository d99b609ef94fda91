"""A program asks whether a process still exists. It has ended, but its parent has not waited for it: kill(2) finds it."""

import os
import time

reading, writing = os.pipe()
if os.fork() == 0:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.write(writing, b"%d" % child)
    time.sleep(600)
pid = int(os.read(reading, 16))
while True:
    os.kill(pid, 0)
    time.sleep(0.05)
