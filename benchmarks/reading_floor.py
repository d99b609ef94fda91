"""How long reading takes, relative to a minimal reader.

    python benchmarks/reading_floor.py TRACE [ROUNDS]

The floor is a Python loop that matches one regular expression for a record's head on every line. Both are measured
alternately, in CPU seconds, so that other load on the machine affects both; the ratio of the sums is printed.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

from tracediag.reading import Reader

HEAD = re.compile(
    r"(?:\[pid +(\d+)\] |(\d+) +)?(?:(\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+) )?"
    r"(?:([a-z_]\w*)\(|<\.\.\. (\w+) resumed>|[-+]{3} )"
)
WANTED = frozenset(
    """
    read write readv writev pread64 pwrite64 open openat close socket connect accept accept4 bind listen sendto
    recvfrom sendmsg recvmsg shutdown epoll_create1 epoll_create epoll_ctl epoll_wait epoll_pwait poll ppoll select
    pselect6 pipe pipe2 dup dup2 dup3 fcntl fork vfork clone clone3 execve exit_group exit wait4 waitid kill tgkill
    rt_sigaction futex nanosleep clock_nanosleep flock fsync eventfd2 timerfd_create signalfd4 setsockopt getsockopt
    socketpair sendfile splice ioctl unlink rename
    """.split()  # noqa: SIM905
)


def floor(path: str) -> int:
    """Match the head on every line."""
    match = HEAD.match
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return sum(match(line) is not None for line in file)


def everything(path: str) -> int:
    """Read all calls."""
    return sum(1 for _ in Reader(path))


def wanted(path: str) -> int:
    """Read the calls that a diagnosis needs, and all that failed."""
    return sum(1 for _ in Reader(path, calls=WANTED))


def few(path: str) -> int:
    """Read hardly any call: what remains is the cost of scanning the lines."""
    return sum(1 for _ in Reader(path, calls=(), failures=False))


def main() -> None:
    """Measure all of them alternately, and print a table."""
    path, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ways: tuple[Callable[[str], int], ...] = (floor, everything, wanted, few)
    took = dict.fromkeys(ways, 0.0)
    found = dict.fromkeys(ways, 0)
    for _ in range(rounds):
        for way in ways:
            start = time.process_time()
            found[way] = way(path)
            took[way] += time.process_time() - start
    for way in ways:
        print(f"{way.__name__:12} {took[way] / rounds:7.2f} s {took[way] / took[floor]:5.2f} x  {found[way]:9}")


if __name__ == "__main__":
    main()
