"""The previous owner of a number, descriptors kept across execve, and the call that made a description non-blocking."""

from __future__ import annotations

from tracediag.api import read
from tracediag.kernel import Kernel, apply
from tracediag.kernel.descriptor import Descriptor


def _after(text: str) -> Kernel:
    kernel = Kernel()
    for event in read([f"{line}\n" for line in text.strip().splitlines()]):
        apply(kernel, event)
    return kernel


def _held(kernel: Kernel, number: int) -> Descriptor:
    found = kernel.processes[-1].table.get(number)
    assert found is not None
    return found


def test_number_stood_for_something_else_before() -> None:
    held = _held(_after('open("/a", O_RDONLY) = 3\nclose(3) = 0\nopen("/b", O_RDONLY) = 3'), 3)
    assert held.before is not None
    assert held.before.file.path == "/a"


def test_no_chain_of_all_that_had_the_number() -> None:
    held = _held(_after('open("/a", O_RDONLY) = 3\nclose(3) = 0\n' * 3 + 'open("/b", O_RDONLY) = 3'), 3)
    assert held.before is not None
    assert held.before.before is None


def test_cleared_cloexec_is_remembered_until_it_is_set() -> None:
    lines = 'open("/a", O_RDONLY|O_CLOEXEC) = 3\nfcntl(3, F_SETFD, 0) = 0'
    held = _held(_after(lines), 3)
    assert held.kept is not None
    assert _held(_after(f"{lines}\nioctl(3, FIOCLEX) = 0"), 3).kept is None


def test_the_call_that_made_a_description_nonblocking() -> None:
    lines = "fcntl(0, F_GETFL) = 0x2 (flags O_RDWR)\nfcntl(0, F_SETFL, O_RDWR|O_NONBLOCK) = 0"
    flags = _held(_after(f"{lines}\nfcntl(0, F_SETFL, O_RDWR|O_NONBLOCK|O_APPEND) = 0"), 0).file.flags
    assert flags.unblocked is not None
    assert flags.unblocked.line == 2
    assert _held(_after(f"{lines}\nfcntl(0, F_SETFL, O_RDWR) = 0"), 0).file.flags.unblocked is None
    assert _held(_after(f"{lines}\nioctl(0, FIONBIO, [0]) = 0"), 0).file.flags.unblocked is None
    assert _held(_after(f"{lines}\nfcntl(0, F_GETFL) = 0x2 (flags O_RDWR)"), 0).file.flags.unblocked is None


def test_nonblocking_from_the_start_was_changed_by_no_call() -> None:
    lines = "fcntl(0, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)\nfcntl(0, F_SETFL, O_RDWR|O_NONBLOCK) = 0"
    assert _held(_after(lines), 0).file.flags.unblocked is None


def test_terminal_is_known_by_its_answer() -> None:
    assert _held(_after("ioctl(1, TCGETS, {B38400 opost isig icanon echo ...}) = 0"), 1).file.terminal
    assert not _held(_after("ioctl(1, TCGETS, 0x7ff0) = -1 ENOTTY (Inappropriate ioctl for device)"), 1).file.terminal


def test_program_before_the_last_execve() -> None:
    kernel = _after(
        '1 execve("/bin/sh", ["sh"], 0x1 /* 2 vars */) = 0\n1 vfork() = 2\n2 execve("/bin/ls", ["ls"], NULL) = 0'
    )
    assert kernel.processes[-1].former == "/bin/sh"


def test_perror_writes_to_a_copy_of_the_standard_error() -> None:
    kernel = _after(
        'dup(2) = 3\nfcntl(3, F_GETFL) = 0x2 (flags O_RDWR)\nwrite(3, "a: No such file", 15) = 15\n'
        'close(3) = 0\nopen("/a", O_WRONLY) = 3\nwrite(3, "b", 1) = 1\nwrite(2, "c", 1) = 1\ndup2(2, 1) = 1\n'
        'write(1, "d", 1) = 1'
    )
    assert [call.line for call in kernel.processes[0].messages] == [3, 7]
