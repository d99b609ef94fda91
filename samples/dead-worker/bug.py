"""A worker thread dies of an exception with a task in hand, and the main thread waits until the queue is done."""

import os
import queue
import signal
import threading
import time

child = os.fork()
if child:
    time.sleep(1.5)
    os.kill(child, signal.SIGTERM)
    os.wait()
    os._exit(0)

tasks = queue.Queue()


def work():
    while True:
        task = tasks.get()
        print(1 // task)
        tasks.task_done()


threading.Thread(target=work, daemon=True).start()
for task in (1, 0, 2):
    tasks.put(task)
tasks.join()
