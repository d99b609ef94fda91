"""A worker of a pool is killed with a task in hand, and the pool waits for the result."""

import multiprocessing
import os
import signal


def work(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        result = pool.map_async(work, range(4), chunksize=1)
        if os.fork() == 0:
            import time

            time.sleep(1.5)
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(0)
        print(result.get())
