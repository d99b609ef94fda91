"""The call in which a thread stands, from /proc/PID/task/TID/syscall: proc_pid_syscall(5)."""

from __future__ import annotations

import platform

_X86_64 = {
    0: "read", 1: "write", 7: "poll", 16: "ioctl", 17: "pread64", 19: "readv", 20: "writev", 23: "select", 34: "pause",
    35: "nanosleep", 56: "clone", 57: "fork", 58: "vfork", 435: "clone3",
    42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg",
    61: "wait4", 65: "semop", 69: "msgsnd", 70: "msgrcv", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync",
    2: "open", 3: "close", 4: "stat", 6: "lstat", 18: "pwrite64", 21: "access", 59: "execve", 80: "chdir", 82: "rename",
    83: "mkdir", 84: "rmdir", 85: "creat", 87: "unlink", 89: "readlink", 137: "statfs", 162: "sync", 165: "mount",
    166: "umount2", 217: "getdents64", 258: "mkdirat", 262: "newfstatat", 263: "unlinkat", 267: "readlinkat",
    269: "faccessat", 306: "syncfs", 318: "getrandom", 332: "statx", 439: "faccessat2",
    128: "rt_sigtimedwait", 130: "rt_sigsuspend", 202: "futex", 219: "restart_syscall", 220: "semtimedop",
    230: "clock_nanosleep", 232: "epoll_wait", 242: "mq_timedsend", 243: "mq_timedreceive", 247: "waitid",
    257: "openat", 270: "pselect6", 271: "ppoll", 281: "epoll_pwait", 288: "accept4", 299: "recvmmsg",
    426: "io_uring_enter", 441: "epoll_pwait2", 449: "futex_waitv",
    62: "kill", 200: "tkill", 234: "tgkill",
}  # fmt: skip
_GENERIC = {
    34: "mkdirat", 35: "unlinkat", 48: "faccessat", 57: "close", 61: "getdents64", 68: "pwrite64", 78: "readlinkat",
    79: "newfstatat", 81: "sync", 221: "execve", 267: "syncfs", 278: "getrandom", 291: "statx", 439: "faccessat2",
    22: "epoll_pwait", 25: "fcntl", 29: "ioctl", 32: "flock", 56: "openat", 63: "read", 64: "write", 65: "readv",
    66: "writev", 67: "pread64", 72: "pselect6", 73: "ppoll", 82: "fsync", 83: "fdatasync", 95: "waitid", 98: "futex",
    101: "nanosleep", 220: "clone", 435: "clone3",
    115: "clock_nanosleep", 128: "restart_syscall", 133: "rt_sigsuspend", 137: "rt_sigtimedwait",
    182: "mq_timedsend", 183: "mq_timedreceive", 188: "msgrcv", 189: "msgsnd", 192: "semtimedop", 193: "semop",
    202: "accept", 203: "connect", 206: "sendto", 207: "recvfrom", 211: "sendmsg", 212: "recvmsg", 242: "accept4",
    243: "recvmmsg", 260: "wait4", 426: "io_uring_enter", 441: "epoll_pwait2", 449: "futex_waitv",
    129: "kill", 130: "tkill", 131: "tgkill",
}  # fmt: skip
"""The numbers that aarch64 and riscv64 share: include/uapi/asm-generic/unistd.h."""

_NAMES = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC}.get(platform.machine(), {})
_ARGUMENTS = 6


def call_of(content: str) -> tuple[str, tuple[int, ...]]:
    """Return the name and arguments of the call; "" for a thread that runs, or stands in no call (number -1)."""
    first, *rest = content.split() or [""]
    if not first.isdecimal():
        return "", ()
    arguments = tuple(int(word, 16) for word in rest[:_ARGUMENTS])
    return _NAMES.get(int(first), first), arguments
