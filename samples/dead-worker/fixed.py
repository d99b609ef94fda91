"""The worker reports the exception, and takes the next task."""

import os
import queue
import signal
import threading
import time
import traceback

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
        try:
            print(1 // task)
        except ArithmeticError:
            traceback.print_exc()
        finally:
            tasks.task_done()


threading.Thread(target=work, daemon=True).start()
for task in (1, 0, 2):
    tasks.put(task)
tasks.join()
