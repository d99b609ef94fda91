"""How time and memory grow with the input: n, 2n and 4n of worst-case inputs of each kind.

    .venv/bin/python benchmarks/growth.py [--python PYTHON] [--size N] [KIND ...]

Prints a Markdown table of CPU seconds (minus those for a trace of one line) and peak MiB of `tracediag analyze`. A
linear cost doubles and doubles again; a bounded one stays. `--python` is the interpreter of another environment, for
comparison.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

Lines = Iterator[str]
KINDS: dict[str, tuple[int, Callable[[int], Lines]]] = {}
"""By name: the smallest n, and what yields the lines."""


def kind(smallest: int) -> Callable[[Callable[[int], Lines]], Callable[[int], Lines]]:
    """Register the generator of one kind of input."""

    def mark(make: Callable[[int], Lines]) -> Callable[[int], Lines]:
        KINDS[make.__name__.replace("_", " ")] = (smallest, make)
        return make

    return mark


_ONE_LINE = "1 poll([{fd=5, events=POLLIN}], 1, 10) = 0 (Timeout)"
"""Its arguments are parsed, so that the start of the parser is not counted."""
_READ = 'read(3</srv/data>, "x", 1) = 1'


@kind(2000)
def opens_and_forks(n: int) -> Lines:
    """Children inherit all open descriptors, and never show a line."""
    yield from (f'1 openat(AT_FDCWD, "/srv/data", O_RDONLY) = {fd + 3}' for fd in range(n))
    yield from (f"1 fork() = {child + 2}" for child in range(n))


@kind(2000)
def opens_forks_and_lines_of_children(n: int) -> Lines:
    """Children are followed: their inherited descriptors count as references."""
    yield from (f'1 openat(AT_FDCWD, "/srv/data", O_RDONLY) = {fd + 3}' for fd in range(n))
    for child in range(n):
        yield from (f"1 fork() = {child + 2}", f"{child + 2} getpid() = {child + 2}")


@kind(2000)
def opens_between_forks(n: int) -> Lines:
    """No two children inherit the same."""
    for item in range(n):
        yield f'1 openat(AT_FDCWD, "/srv/data", O_RDONLY) = {item + 3}'
        yield f"1 fork() = {item + 2}"


@kind(6000)
def many_processes(n: int) -> Lines:
    """Each shows one line, and neither its start nor its end."""
    yield from (f"{pid + 1} {_READ}" for pid in range(n))


@kind(3000)
def threads_and_elisions(n: int) -> Lines:
    """Lines are left out repeatedly."""
    yield from (f"{pid + 1} {_READ}" for pid in range(n))
    yield from ("..." for _ in range(n))


@kind(3000)
def threads_and_lines_without_pid(n: int) -> Lines:
    """The thread of each line must be guessed."""
    yield from (f"{pid + 1} {_READ}" for pid in range(n))
    yield from (_READ for _ in range(n))


@kind(3000)
def leavers_and_lines_without_pid(n: int) -> Lines:
    """Each line shows that another thread has exited."""
    yield from (f"{pid + 1} {_READ}" for pid in range(n))
    yield from ("exit_group(0) = ?" for _ in range(n))


@kind(4000)
def halves_and_resumed_execve(n: int) -> Lines:
    """An execve is resumed by another pid than began it."""
    yield from (f"{pid + 1} read(3, <unfinished ...>" for pid in range(n))
    yield from (f"{n + pid + 1} <... execve resumed>) = 0" for pid in range(n))


@kind(100)
def polls_of_100_descriptors(n: int) -> Lines:
    """Each has a different shape."""
    for line in range(n):
        fds = ", ".join(f"{{fd={fd + 3 + line % 7}, events=POLLIN}}" for fd in range(100 + line % 5))
        yield f"1 poll([{fds}], {100 + line % 5}, 10) = 0 (Timeout)"


@kind(100_000)
def one_long_line(n: int) -> Lines:
    """One endless argument."""
    yield f'1 write(1, "{"x" * n}", {n}) = {n}'


@kind(1000)
def deep_nesting(n: int) -> Lines:
    """One argument within another."""
    yield f"1 ioctl(3, SOMETHING, {'{a=[' * n}1{']}' * n}) = 0"


@kind(2000)
def epoll_registrations(n: int) -> Lines:
    """One set watches all, then reports each."""
    yield "1 epoll_create1(0) = 3"
    for fd in range(4, n + 4):
        yield f"1 epoll_ctl(3, EPOLL_CTL_ADD, {fd}, {{events=EPOLLIN, data={{u32={fd}, u64={fd}}}}}) = 0"
    for fd in range(4, n + 4):
        yield f"1 epoll_wait(3, [{{events=EPOLLIN, data={{u32={fd}, u64={fd}}}}}], 8, -1) = 1"
        yield f'1 read({fd}, "x", 1) = 1'


@kind(1000)
def epoll_sets(n: int) -> Lines:
    """One thread waits on one set after another, and one descriptor is in all of them."""
    for fd in range(4, n + 4):
        yield f"1 epoll_create1(0) = {fd}"
        yield f"1 epoll_ctl({fd}, EPOLL_CTL_ADD, 3, {{events=EPOLLIN, data={{u32=3, u64=3}}}}) = 0"
        yield f"1 epoll_wait({fd}, [{{events=EPOLLIN, data={{u32=3, u64=3}}}}], 8, -1) = 1"
    yield from ('1 read(3, "x", 1) = 1' for _ in range(n))
    yield from (f"1 epoll_ctl({fd}, EPOLL_CTL_DEL, 3, NULL) = 0" for fd in range(n + 3, 3, -1))


@kind(1000)
def sockets(n: int) -> Lines:
    """Connections of which the trace shows one end."""
    for item in range(n):
        port, fd = item % 60_000 + 1, item + 3
        yield f"1 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = {fd}"
        yield (
            f"1 connect({fd}<TCP:[{item + 1}]>, {{sa_family=AF_INET, sin_port=htons({port}),"
            ' sin_addr=inet_addr("10.0.0.1")}, 16) = 0'
        )
        yield f'1 sendto({fd}<TCP:[10.0.0.2:{port}->10.0.0.1:{port}]>, "x", 1, 0, NULL, 0) = 1'


@kind(3000)
def signals(n: int) -> Lines:
    """Sent, received, and handled under ever new names."""
    for item in range(n):
        yield f"1 kill({item + 2}, SIGUSR1) = 0"
        yield "1 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=1, si_uid=0} ---"
        yield f"1 rt_sigaction(SIGX{item}, {{sa_handler=0x1, sa_mask=[], sa_flags=0}}, NULL, 8) = 0"
        yield f"1 fork() = {item + 2}"


@kind(2000)
def children_never_reaped(n: int) -> Lines:
    """Each starts, exits, and is never reaped."""
    for item in range(n):
        yield f"1 fork() = {item + 2}"
        yield f"{item + 2} exit_group(0) = ?"
        yield f"{item + 2} +++ exited with 0 +++"
        yield f"1 --- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid={item + 2}, si_uid=0, si_status=0}} ---"


@kind(3000)
def mappings(n: int) -> Lines:
    """Mapped, moved and unmapped."""
    for item in range(n):
        at = 0x7F0000000000 + item * 4096
        yield f"1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = {at:#x}"
        yield f"1 mremap({at:#x}, 4096, 4096, MREMAP_MAYMOVE) = {at + (1 << 40):#x}"
        yield f"1 munmap({at:#x}, 4096) = 0"


@kind(1000)
def removals_and_processes(n: int) -> Lines:
    """Files are removed while each process has one open."""
    yield from (f'{pid + 1} openat(AT_FDCWD, "/srv/{pid}", O_RDWR) = 3' for pid in range(n))
    yield from (f'1 unlink("/srv/gone{item}") = 0' for item in range(n))


@kind(1000)
def waits_and_processes(n: int) -> Lines:
    """Each process waits on one set that all have inherited."""
    yield "1 epoll_create1(0) = 3"
    yield "1 epoll_ctl(3, EPOLL_CTL_ADD, 0, {events=EPOLLIN, data={u32=0, u64=0}}) = 0"
    yield from (f"1 fork() = {item + 2}" for item in range(n))
    for item in range(n):
        yield f"{item + 2} epoll_ctl(3, EPOLL_CTL_MOD, 0, {{events=EPOLLIN, data={{u32=0, u64=0}}}}) = 0"
        yield f"{item + 2} epoll_wait(3, [{{events=EPOLLIN, data={{u32=0, u64=0}}}}], 8, -1) = 1"
        yield f'{item + 2} read(0, "x", 1) = 1'


def measure(python: str, lines: Lines) -> tuple[float, int]:
    """Return the CPU seconds and the peak MiB of one analysis."""
    with tempfile.NamedTemporaryFile("w", suffix=".strace") as trace:
        trace.writelines(f"{line}\n" for line in lines)
        trace.flush()
        command = [python, "-m", "tracediag", "analyze", "--exit-zero", "--format", "concise", trace.name]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as run:
            _, _, used = os.wait4(run.pid, 0)
            run.returncode = 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"any of: {', '.join(KINDS)} (default: all)")
    parser.add_argument(
        "--python", default=sys.executable, type=lambda name: str(Path(name).parent.resolve() / Path(name).name)
    )
    parser.add_argument("--size", type=float, default=1, help="by what to multiply each n")
    options = parser.parse_args()
    start = min(measure(options.python, iter((_ONE_LINE,)))[0] for _ in range(3))
    sys.stdout.write("| input | n | s at n | 2n | 4n | MiB at n | 2n | 4n |\n|---|---|---|---|---|---|---|---|\n")
    for name in options.kinds or KINDS:
        smallest, make = KINDS[name]
        first = round(smallest * options.size)
        found = [measure(options.python, make(first * times)) for times in (1, 2, 4)]
        cells = [name, f"{first:,}", *(f"{max(0.0, used - start):.2f}" for used, _ in found)]
        cells += [str(peak) for _, peak in found]
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
