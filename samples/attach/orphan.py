"""A process waits for a lock that another one had when it was killed: a semaphore is not given back by a death."""

import multiprocessing
import os
import signal


def work(lock):
    lock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    lock = multiprocessing.Lock()
    child = multiprocessing.Process(target=work, args=(lock,))
    child.start()
    child.join()
    lock.acquire()
