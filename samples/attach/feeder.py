"""A parent waits for its child before it reads the queue that the child fills: the child ends only when all is written."""

import multiprocessing


def work(queue):
    queue.put(bytes(1 << 20))


if __name__ == "__main__":
    queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=work, args=(queue,))
    child.start()
    child.join()
