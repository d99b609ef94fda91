"""Each fault shows in its trace, and the correct server's trace shows none of them."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from serverprocess import ServerProcess, eventually, started

from tracediag.epollserver import FAULTS
from tracediag.epollserver.scenarios import drive

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")

GAP = "(?:.*\n)*?"
# Line by line, without the pid; `(?P=fd)` is the descriptor that an earlier line named.
TELLTALES = {
    "accept-once": [
        r"epoll_ctl\(\d+, EPOLL_CTL_ADD, (?P<listener>\d+), \{events=EPOLLIN\|EPOLLET,",
        GAP,
        r"epoll_wait\(.*u32=(?P=listener),",
        r"accept4\((?P=listener), .*\) = (?P<fd>\d+)",
        r"getsockname\((?P=fd), ",
        r"ioctl\((?P=fd), FIONBIO, \[1\]\)",
        r"setsockopt\((?P=fd), ",
        r"epoll_ctl\(\d+, EPOLL_CTL_ADD, (?P=fd), ",
        r"epoll_wait\(",
    ],
    "not-drained": [
        r"epoll_ctl\(\d+, EPOLL_CTL_ADD, (?P<fd>\d+), \{events=EPOLLIN\|EPOLLRDHUP\|EPOLLET,",
        GAP,
        r"recvfrom\((?P=fd), .*, 512, 0, NULL, NULL\) = 512",
        r"epoll_wait\(",
    ],
    "keep-registered": [
        r"sendto\((?P<fd>\d+), .* = -1 EPIPE",
        GAP,
        r"epoll_wait\(.*EPOLLHUP.*u32=(?P=fd),",
        r"getsockopt\((?P=fd), ",
        r"epoll_wait\(.*EPOLLHUP.*u32=(?P=fd),",
    ],
    "dup-kept": [
        r"fcntl\((?P<fd>\d+), F_DUPFD_CLOEXEC",
        GAP,
        r"recvfrom\((?P=fd), .* = 0",
        r"close\((?P=fd)\) += 0",
        GAP,
        r"epoll_wait\(.*u32=(?P=fd),",
        r"epoll_ctl\(\d+, EPOLL_CTL_DEL, (?P=fd), .* = -1 EBADF",
    ],
    "clobber-flags": [
        r"openat\(.*O_WRONLY\|O_CREAT\|O_APPEND\|O_CLOEXEC, 0644\) = (?P<fd>\d+)",
        r"fcntl\((?P=fd), F_SETFL, O_RDONLY\|O_NONBLOCK\) = 0",
    ],
    "cloexec-by-setfl": [
        r"listen\((?P<fd>\d+), ",
        r"ioctl\((?P=fd), FIONCLEX",
        r"fcntl\((?P=fd), F_SETFL, O_WRONLY\) += 0",
    ],
    "sigpipe": [
        r"rt_sigaction\(SIGPIPE, \{sa_handler=SIG_DFL",
        GAP,
        r"sendto\(\d+, .*, 0, NULL, 0\) = -1 EPIPE",
        r"--- SIGPIPE ",
        r"\+\+\+ killed by SIGPIPE \+\+\+",
    ],
    "blocking-client": [
        r"recvfrom\((?P<fd>\d+), .* = 20",
        r"recvfrom\((?P=fd), .* = 15",
        GAP,
        r"sendto\((?P=fd), ",
    ],
    "ignore-hangup": [r"epoll_wait\(.*EPOLLIN\|EPOLLERR\|EPOLLHUP\|EPOLLRDHUP, .*\) = 1"] * 3,
    "ignore-eof": [
        r"recvfrom\((?P<fd>\d+), .* = 0",
        r"epoll_wait\(.*u32=(?P=fd),",
        r"recvfrom\((?P=fd), .* = 0",
    ],
    "double-close": [r"close\((?P<fd>\d+)\) += 0", r"close\((?P=fd)\) += -1 EBADF"],
    "use-after-close": [r"close\((?P<fd>\d+)\) += 0", r"write\((?P=fd), .* = -1 EBADF"],
    "use-after-reset": [
        r"sendto\((?P<fd>\d+), .* = -1 EPIPE",
        r"sendto\((?P=fd), .* = -1 EPIPE",
        GAP,
        r"epoll_ctl\(\d+, EPOLL_CTL_DEL, (?P=fd), .* = 0",
        r"close\((?P=fd)\) += 0",
    ],
}


def pattern(fault: str) -> re.Pattern[str]:
    lines = [part if part == GAP else part + r".*\n" for part in TELLTALES[fault]]
    return re.compile("^" + "".join(lines), re.MULTILINE)


@dataclass
class Recording:
    """The trace of a server, while it runs and afterwards."""

    path: Path
    server: ServerProcess

    def text(self) -> str:
        return re.sub(r"^\d+ +", "", self.path.read_text(), flags=re.MULTILINE)

    def finish(self) -> str:
        self.server.stop()
        assert eventually(lambda: self.path.read_text().endswith(" +++\n"))
        return self.text()


@contextmanager
def recorded(path: Path, fault: str | None) -> Iterator[Recording]:
    arguments = ["--log", str(path.with_suffix(".log")), *(["--fault", fault] if fault else [])]
    # -D makes strace the grandchild, so that signals sent to the process reach the server.
    with started(*arguments, before=("strace", "-D", "-f", "-o", str(path))) as server:
        drive(server.port, fault)
        yield Recording(path, server)


def test_every_fault_has_a_telltale() -> None:
    assert set(TELLTALES) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_trace_shows_the_fault(fault: str, tmp_path: Path) -> None:
    with recorded(tmp_path / "trace", fault) as recording:
        assert eventually(lambda: bool(pattern(fault).search(recording.text())))


def test_the_faultless_trace_is_clean(tmp_path: Path) -> None:
    with recorded(tmp_path / "trace", None) as recording:
        assert eventually(lambda: len(recording.server.descriptors("socket:")) == 1)
        text = recording.finish()
    served = text[text.index("listening on") :]
    assert "EBADF" not in served
    assert "SIGPIPE" not in served
    assert "EPOLLET" not in text
    assert "F_SETFL" not in text
    for end in re.finditer(r"^recvfrom\((\d+), .* = 0\n(.*)\n(.*)\n", served, re.MULTILINE):
        assert f"EPOLL_CTL_DEL, {end[1]}, " in end[2]
        assert f"close({end[1]})" in end[3]
