"""Every call that returns a descriptor makes one in the model: the numbers are those of /proc/self/fd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from test_process_table import kernel_of

from tracediag.kernel import Kernel, apply
from tracediag.kernel.descriptor import Kind
from tracediag.reading import read

PROGRAM = """
import ctypes, fcntl, os, pty
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *words):
    return libc.syscall(ctypes.c_long(number), *words)
call(447, ctypes.c_uint(0))                                          # memfd_secret
call(430, b"tmpfs", ctypes.c_uint(1))                                # fsopen, FSOPEN_CLOEXEC
call(428, ctypes.c_int(-100), b"/", ctypes.c_uint(0x80001))          # open_tree, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
call(433, ctypes.c_int(-100), b"/proc", ctypes.c_uint(1))            # fspick, FSPICK_CLOEXEC
libc.mq_open(b"/tracediag-test", os.O_RDWR | os.O_CREAT, 0o600, None)
libc.mq_unlink(b"/tracediag-test")
call(444, None, ctypes.c_size_t(0), ctypes.c_uint(1))                # landlock_create_ruleset: only the version
call(444, (ctypes.c_uint64 * 1)(1), ctypes.c_size_t(8), ctypes.c_uint(0))
call(321, ctypes.c_int(0), (ctypes.c_uint32 * 32)(2, 4, 4, 1), ctypes.c_uint(128))  # bpf, BPF_MAP_CREATE
call(298, (ctypes.c_uint32 * 32)(1, 128), 0, -1, -1, 0)              # perf_event_open
call(323, ctypes.c_int(1))                                           # userfaultfd
master, slave = pty.openpty()
fcntl.ioctl(master, 0x5441, os.O_RDWR | os.O_NOCTTY)                 # TIOCGPTPEER
pidfd = ctypes.c_int(-1)                                             # clone3, CLONE_PIDFD
words = (ctypes.c_uint64 * 11)(0x1000, ctypes.addressof(pidfd), 0, 0, 17)
if call(435, words, ctypes.c_size_t(88)) == 0:
    os._exit(0)
os.wait()
print(*sorted(int(name) for name in os.listdir("/proc/self/fd")), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_model_has_the_descriptors_of_proc(tmp_path: Path) -> None:
    command = ["strace", "-f", "-o", "trace", "/usr/bin/python3", "-I", "-S", "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    *shown, listing = map(int, done.stdout.split())
    kernel = Kernel()
    for event in read(tmp_path / "trace"):
        if getattr(event, "name", "") == "exit_group" and event.pid == kernel.processes[0].pid:
            break
        apply(kernel, event)
    held = {one.number for one in kernel.processes[0].table if one.opened is not None}
    assert held == set(shown) - {0, 1, 2}, listing
    assert all(one.cloexec is not None for one in kernel.processes[0].table if one.number in held)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("memfd_secret(O_CLOEXEC) = 5", Kind.MEMFD),
        ('fsopen("tmpfs", FSOPEN_CLOEXEC) = 5', Kind.OTHER),
        ("fsmount(3, FSMOUNT_CLOEXEC, 0) = 5", Kind.OTHER),
        ('fspick(AT_FDCWD, "/", FSPICK_CLOEXEC) = 5', Kind.OTHER),
        ('open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE) = 5', Kind.OTHER),
        ('mq_open("q", O_RDWR|O_CREAT, 0600, NULL) = 5', Kind.OTHER),
        ("landlock_create_ruleset({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE}, 8, 0) = 5", Kind.OTHER),
        ("bpf(BPF_MAP_CREATE, {map_type=BPF_MAP_TYPE_HASH, key_size=4}, 128) = 5", Kind.OTHER),
        ("socketcall(SYS_SOCKET, 0xbf9) = 5", Kind.SOCKET),
        ("seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, {len=9, filter=0x7f}) = 5", Kind.OTHER),
        ("ioctl(3, KVM_CREATE_VM, 0) = 5", Kind.OTHER),
        ("ioctl(3, TIOCGPTPEER, O_RDWR|O_NOCTTY) = 5", Kind.DEVICE),
        ("clone(child_stack=NULL, flags=CLONE_PIDFD|SIGCHLD, parent_tid=[5]) = 77", Kind.PIDFD),
        ("clone3({flags=CLONE_PIDFD, pidfd=0x7ffe, exit_signal=SIGCHLD} => {pidfd=[5]}, 88) = 77", Kind.PIDFD),
    ],
)
def test_makers(line: str, kind: Kind) -> None:
    process = kernel_of(line).processes[0]
    assert process.table.open[5].file.kind is kind
    assert process.table.open[5].opened is not None


@pytest.mark.parametrize(
    "line",
    [
        "landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) = 5",
        "bpf(BPF_MAP_LOOKUP_ELEM, {map_fd=3, key=0x7f, value=0x7f}, 128) = 5",
        "seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=9, filter=0x7f}) = 0",
        "ioctl(3, FIONREAD, [5]) = 5",
        "clone(child_stack=NULL, flags=CLONE_PARENT_SETTID|SIGCHLD, parent_tid=[5]) = 5",
        'fsopen("nofs", 0) = -1 ENODEV (No such device)',
    ],
)
def test_no_makers(line: str) -> None:
    assert 5 not in kernel_of(line).processes[0].table.open


@pytest.mark.parametrize(
    "line",
    ['pread64(9, "x", 1, 0) = 1', 'pwritev2(9, [{iov_base="x", iov_len=1}], 1, 0, 0) = 1', "vmsplice(9, [], 0, 0) = 0"],
)
def test_positioned_transfers_show_a_descriptor(line: str) -> None:
    assert 9 in kernel_of(line).processes[0].table.open


def test_tee_and_vmsplice_show_pipes() -> None:
    (process,) = kernel_of("tee(3, 4, 9, 0) = 9", 'vmsplice(5, [{iov_base="x", iov_len=1}], 1, 0) = 1').processes
    ends = [process.table.open[number].file.pipe for number in (3, 4)]
    assert [end is not None and end.writing for end in ends] == [False, True]
    assert process.table.open[5].file.kind is Kind.PIPE


@pytest.mark.parametrize(("least", "waits"), [(0, 0), (1, 1)])
def test_io_uring_enter_waits_if_it_asks_for_a_completion(least: int, waits: int) -> None:
    (process,) = kernel_of(f"io_uring_enter(3, 1, {least}, IORING_ENTER_GETEVENTS, NULL, 8) = 1").processes
    (thread,) = process.threads
    assert thread.waits == waits
    assert 3 in process.table.open
