"""How unusual a failed call is: whether it is part of normal work, and how few programs carry on after it."""

from __future__ import annotations

from tracediag.evidence.complaints import target
from tracediag.trace.calls import (
    CHILD_WAITS,
    CONTROLS,
    FORKS,
    FUTEXES,
    KILLS,
    LOOKS,
    MKDIRS,
    OPENS,
    PAUSES,
    POLLS,
    REMOVES,
    REPLACES,
    SEEKS,
    SIGNAL_WAITS,
    WAITS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import names_of

_SEARCHED = lazy_pattern(
    r"/ld\.so\.|\.so(?:\.\d|$)|/locale|LC_MESSAGES|\.mo$|/gconv|/nscd/|__pycache__|\.pyc$|pyvenv\.cfg|python\d*\.zip|"
    r"pybuilddir|terminfo|nsswitch\.conf|/selinux|^/proc/(?!self/exe$)|^/sys/|glibc-hwcaps|/localtime|\._pth$|/etc/hosts\.|debug/\.dwz|"
    r"/\.[\w-]+rc$|/\.config/|/\.ssh/config|/dev/log$|/[uw]tmp$|/zoneinfo/|/stdc-predef\.h$|"
    r"/\.htaccess$|/lib-dynload$|^/dev/tty$|/etc/gai\.conf|inputrc|/etc/suid-debug|\.build-id/|linecache|sitecustomize|usercustomize|/site-packages$"
)
"""Paths that are searched for in many directories, or that need not exist."""
_OPTIONAL = lazy_pattern(r"/package\.json$")
"""Paths that a runtime looks for by itself, and without which some programs end: Node.js looks for a package.json above
each module that it loads, https://nodejs.org/api/packages.html#determining-module-system; npm needs one."""

_HARMLESS = {
    "EAGAIN": frozenset[str](),
    "EINPROGRESS": frozenset[str](),
    "EALREADY": frozenset[str](),
    "ENODATA": frozenset[str](),
    "ENOTTY": frozenset({"ioctl"}),
    "ESPIPE": SEEKS | {"fadvise64"},
    "ESRCH": KILLS,
    "ECHILD": CHILD_WAITS,
    "EBADF": REPLACES | CONTROLS | {"close"},
    "EINVAL": frozenset({"readlink", "readlinkat", "arch_prctl", "prctl", "rseq", "membarrier", "ioctl", "fsync"}),
    "ENOTCONN": frozenset({"shutdown", "getpeername"}),
    "ERANGE": frozenset({"getcwd", "getxattr", "sched_getaffinity"}),
    "EFAULT": frozenset({"statx"}),
    "EINTR": WAITS | PAUSES,
    "ENOTSOCK": frozenset({"getpeername", "getsockname"}),
    "ETIMEDOUT": FUTEXES | POLLS | SIGNAL_WAITS,
    "EPERM": frozenset({"epoll_ctl", "set_mempolicy", "get_mempolicy", "mbind", "sched_setscheduler", "fadvise64"}),
}
"""Errors that are part of normal work: of these calls, or of any call where none is named."""

SEARCHES = LOOKS | OPENS | {"connect"}
_CLEANING = REMOVES | {"close", "shutdown", "kill"}
_VAGUE = frozenset({"EINVAL", "EBADF", "ENOTSOCK", "EFAULT", "EOPNOTSUPP", "ENOPROTOOPT", "ENOTCONN", "EINTR"})


def harmless(call: Syscall) -> bool:
    """Whether a failure of this kind is part of normal work, unless the program reports it."""
    errno = call.errno or ""
    if call.name in FUTEXES:
        return True
    if errno == "EFAULT":
        return call.name == "statx" and "NULL" in names_of(call.arg(1))
    if errno == "EAGAIN" and call.name in FORKS:
        return False  # a limit on processes
    usual = _HARMLESS.get(errno)
    if usual is not None and (not usual or call.name in usual):
        return True
    looked_for = errno in ("ENOENT", "ENOTDIR", "ENXIO", "ECONNREFUSED") and call.name in SEARCHES
    return looked_for and _SEARCHED.search(target(call) or "") is not None


def optional(call: Syscall) -> bool:
    """Whether a lookup that fails is part of normal work, unless the program names its object."""
    return call.errno == "ENOENT" and call.name in SEARCHES and _OPTIONAL.search(target(call) or "") is not None


def weight(call: Syscall) -> int:
    """Return how unusual a failure is, from 0 to 40: few programs carry on after a heavy one."""
    errno = call.errno or ""
    if call.number(0) == -1 and call.name not in ("mmap", "kill", "wait4"):
        return 5  # the call that should have created the descriptor failed
    if call.name in LOOKS:
        return 20 if errno in ("EACCES", "EPERM", "EIO", "ESTALE", "ENOTCONN") else 10
    if errno in ("ENOENT", "ESRCH") and call.name in _CLEANING:
        return 5
    if errno == "EEXIST" and call.name in MKDIRS:
        return 5
    if errno == "ENOSYS":
        return 10
    if errno in _VAGUE:
        return 25
    if errno in ("ENOENT", "ENOTDIR"):
        return 25 if call.name in OPENS and not call.has("O_CREAT") else 35
    return 40
