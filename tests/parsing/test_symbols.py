"""Arguments with numbers for constants, as `strace -X verbose` and `-X raw` print them, get names."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tracediag.parsing.constants import Constants
from tracediag.parsing.symbols import Decoder, named

PROGRAM = """
import os, select, signal, socket, threading
r, w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
with open("file", "w") as file:
    os.stat("file")
near, far = socket.socketpair()
near.setblocking(False)
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served, _ = server.accept()
events = select.epoll()
events.register(served, select.EPOLLIN | select.EPOLLET)
client.send(b"x")
events.poll(1)
events.unregister(served)
poll = select.poll()
poll.register(served, select.POLLIN | select.POLLRDHUP)
poll.poll(1)
client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
socket.send_fds(near, [b"x"], [1])
socket.recv_fds(far, 1, 1)
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", ("::1", 9))
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGKILL)
os.waitid(os.P_PID, child, os.WEXITED)
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
client.shutdown(socket.SHUT_WR)
"""
_REMARK = re.compile(r'(?<=[0-9a-f"]) /\* (?:[A-Z]\w*+[\w|?]*+|(?:htons|inet_addr|inet_pton)\([^()]*+\)) \*/')
_CALL = re.compile(r"[0-9]+ +(\w+)\((.*)\) += ")
_NOT_DECODED = ("getrandom(", "arch_prctl(", "madvise(", "makedev(", "sin6_flowinfo=")
"""What the model does not depend on."""


@pytest.fixture(scope="module")
def verbose(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Return the calls of a program, recorded with -X verbose: their names and arguments."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    folder: Path = tmp_path_factory.mktemp("verbose")
    command = ["strace", "-f", "-yy", "-X", "verbose", "-o", "trace", "/usr/bin/python3", "-I", "-S", "-c", PROGRAM]
    subprocess.run(command, cwd=folder, check=True)
    lines = (folder / "trace").read_text(errors="replace").splitlines()
    return [(call[1], call[2]) for line in lines if (call := _CALL.match(line)) is not None]


def test_numbers_get_the_names_that_strace_gives_them(verbose: list[tuple[str, str]]) -> None:
    decoder = Decoder()
    wrong = []
    for name, body in verbose:
        raw = _REMARK.sub("", body)
        if decoder.decoded(name, raw) != named(body) and not any(
            word in f"{name}({named(body)}" for word in _NOT_DECODED
        ):
            wrong.append((raw, decoder.decoded(name, raw), named(body)))
    assert wrong == []
    assert {name for name, _ in verbose} >= {"epoll_ctl", "fcntl", "openat", "recvmsg", "rt_sigaction"}


def test_no_remark_that_names_a_number_is_left(verbose: list[tuple[str, str]]) -> None:
    left = {remark for _, body in verbose for remark in re.findall(r"/\*.*?\*/", named(body))}
    assert all("???" in remark or re.match(r"/\* [0-9]", remark) for remark in left), left


@pytest.mark.parametrize(
    "body",
    [
        '"/bin/sh", ["sh"], 0x7ffe /* 38 vars */',
        r'3, "2 /* F_SETFD */", 15',
        "3</srv/2 /* F_SETFD */>, 5",
        "3, 0x80 /* O_??? */",
        "{rlim_cur=8388608 /* 8192*1024 */}",
    ],
)
def test_other_text_remains(body: str) -> None:
    assert named(body) == body


@pytest.mark.parametrize(
    ("call", "raw", "expected"),
    [
        ("fcntl", "3, 0x2, 0x1", "3, F_SETFD, FD_CLOEXEC"),
        ("fcntl", "3, 0x4, 0x802", "3, F_SETFL, O_RDWR|O_NONBLOCK"),
        ("openat", '-100</srv>, "/x", 0x80241, 0644', 'AT_FDCWD</srv>, "/x", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644'),
        (
            "clone",
            "child_stack=NULL, flags=0x1200000|17",
            "child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD",
        ),
        ("socket", "0x2, 0x1|0x80800, 0x6", "AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, IPPROTO_TCP"),
        ("rt_sigprocmask", "0, ~[2 17], [], 8", "SIG_BLOCK, ~[INT CHLD], [], 8"),
        ("pselect6", "6, [5], [], NULL, NULL, NULL", "6, [5], [], NULL, NULL, NULL"),
        ("lseek", "3, -100, 0", "3, -100, SEEK_SET"),
        ("poll", "[{fd=3, revents=0x11}]", "[{fd=3, revents=POLLIN|POLLHUP}]"),
        ("", "si_signo=11, si_code=0x2, si_addr=0x10", "si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x10"),
        (
            "",
            "si_signo=17, si_code=0x2, si_pid=9, si_status=9",
            "si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=9, si_status=SIGKILL",
        ),
        (
            "",
            "si_signo=17, si_code=0x1, si_pid=9, si_status=9",
            "si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9, si_status=9",
        ),
        ("", "si_signo=15, si_code=0, si_pid=9", "si_signo=SIGTERM, si_code=SI_USER, si_pid=9"),
    ],
)
def test_numbers_are_decoded(call: str, raw: str, expected: str) -> None:
    assert Decoder().decoded(call, raw) == expected


@pytest.mark.parametrize(
    ("architecture", "flags"),
    [
        ("", 0x80800),
        ("arm", 0x80800),
        ("mips", 0x80080),
        ("alpha", 0x200004),
        ("sparc", 0x404000),
        ("parisc", 0x210000),
    ],
)
def test_architectures_have_numbers_of_their_own(architecture: str, flags: int) -> None:
    name = Constants(architecture).name("O", flags)
    assert name is not None
    assert set(name.split("|")) == {"O_RDONLY", "O_NONBLOCK", "O_CLOEXEC"}


def test_what_is_not_known_for_an_architecture_remains_a_number() -> None:
    assert Constants("sparc").name("EFD", 0x80000) is None
    assert Decoder("sparc").decoded("ioctl", "0, 0x5401, 0x7f") == "0, 0x5401, 0x7f"
