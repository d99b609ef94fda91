"""Servers in processes of their own, and their state in /proc."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import tracediag.epollserver

FOLDER = Path(tracediag.epollserver.__file__).parent
BOUND = 30.0  # seconds after which a test stops waiting


def eventually(condition: Callable[[], bool], bound: float = BOUND) -> bool:
    """Wait until a condition holds, up to a limit; return whether it does."""
    deadline = time.monotonic() + bound
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@dataclass
class ServerProcess:
    """A listening server; `pid` is its own, even if strace is the process that was started."""

    process: subprocess.Popen[str]
    pid: int
    port: int

    def stop(self) -> int:
        """Stop it with SIGTERM; return its exit status."""
        self.process.terminate()
        return self.process.wait(BOUND)

    def ticks(self) -> int:
        """Return the CPU time used so far, in ticks of 10 ms (proc(5))."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def spins(self, bound: float = BOUND) -> bool:
        """Return whether it uses 100 ms of CPU time while no request arrives."""
        begin = self.ticks()
        return eventually(lambda: self.ticks() - begin >= 10, bound)

    def descriptors(self, kind: str = "") -> dict[int, int]:
        """Return its open descriptors whose link begins with `kind`, with their flags (proc(5))."""
        found = {}
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed in the meantime
                if int(entry.name) > 2 and str(entry.readlink()).startswith(kind):
                    found[int(entry.name)] = self.flags(entry.name)
        return found

    def flags(self, fd: str) -> int:
        info = Path(f"/proc/{self.pid}/fdinfo/{fd}").read_text()
        return int(re.findall(r"^flags:\s*(\d+)", info, re.MULTILINE)[0], 8)


@contextmanager
def started(*arguments: str, before: tuple[str, ...] = (), stderr: IO[str] | None = None) -> Iterator[ServerProcess]:
    """Run a server by path, as if tracediag could not be imported; `before` is a command that runs it."""
    command = [*before, sys.executable, "-I", str(FOLDER), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        assert process.stdout
        try:
            port = int(process.stdout.readline().rpartition(":")[2])
            yield ServerProcess(process, process.pid, port)
        finally:
            process.kill()


Start = Callable[..., ServerProcess]
"""Starts a server that ends with the test: the fixture `start`. Here, since each folder has a `conftest` of its own."""
