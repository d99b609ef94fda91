"""The classes of calls that a query names: `call in %file`. Those of strace, and finer ones.

`%file` and `%desc` are the calls with a path and with a descriptor among their parameters.
"""

from __future__ import annotations

from functools import cache

import msgspec

from tracediag.trace import calls
from tracediag.trace.parameters import names

_PATHS = frozenset({"pathname", "path", "oldpath", "newpath", "filename", "linkpath", "target", "special", "put_old"})
_DESCRIPTORS = frozenset(
    {"fd", "sockfd", "dirfd", "epfd", "oldfd", "newfd", "olddirfd", "newdirfd", "fd_in", "fd_out", "in_fd", "out_fd"}
    | {"pidfd", "mqdes", "fanotify_fd", "mount_fd", "fsfd", "from_dirfd", "to_dirfd"}
)
_NETWORK = (
    calls.SOCKETS | calls.ACCEPTS | calls.SOCKET_SETUP | calls.SOCKET_LOOKS | calls.SOCKET_TRANSFERS | calls.SENDFILES
)
_MEMORY = calls.MAPS | frozenset(
    {"munmap", "mremap", "mprotect", "pkey_mprotect", "madvise", "process_madvise", "brk", "mlock", "mlock2"}
    | {"mlockall", "munlock", "munlockall", "mincore", "msync", "mbind", "move_pages", "migrate_pages"}
    | {"set_mempolicy", "get_mempolicy", "remap_file_pages", "shmat", "shmdt", "mseal"}
)


class CallClass(msgspec.Struct, frozen=True):
    """Calls under one name."""

    name: str
    """With its sign: "%file"."""
    doc: str
    calls: frozenset[str]


@cache
def classes() -> dict[str, CallClass]:
    """Return all classes by name."""
    return {
        found.name: found
        for found in (
            CallClass("%file", "take the path of a file", _with(_PATHS)),
            CallClass("%desc", "take a descriptor, or return one", _with(_DESCRIPTORS) | calls.MAKERS),
            CallClass("%network", "create and use sockets", _NETWORK),
            CallClass("%process", "create, start, end and wait for processes", _process()),
            CallClass("%signal", "send, handle and wait for signals", _signal()),
            CallClass("%memory", "map, protect and lock memory", _MEMORY),
            CallClass("%open", "open a file by its path", calls.OPENS),
            CallClass("%look", "query a file by its path", calls.LOOKS),
            CallClass("%read", "read from any descriptor", calls.FILE_READS | calls.POSITIONED_READS),
            CallClass("%write", "write to any descriptor", calls.FILE_WRITES | calls.POSITIONED_WRITES),
            CallClass("%receive", "receive: read, recv and their like", calls.READS),
            CallClass("%send", "send: write, send and their like, sendfile", calls.WRITES | calls.SENDFILES),
            CallClass("%accept", "accept a connection", calls.ACCEPTS),
            CallClass("%wait", "wait for descriptors to be ready", calls.WAITS),
            CallClass("%sleep", "sleep for a time or until a signal", calls.IDLES),
            CallClass("%sync", "write modified data to disk", calls.SYNCS),
            CallClass("%close", "close descriptors", calls.CLOSES),
            CallClass("%dup", "copy a descriptor", calls.DUPS),
            CallClass("%rename", "rename a file", calls.RENAMES),
            CallClass("%remove", "remove a name", calls.REMOVES),
            CallClass("%fork", "create a process or a thread", calls.FORKS),
            CallClass("%exec", "execute a program", calls.EXECS),
            CallClass("%exit", "end a thread or process", calls.EXITS),
            CallClass("%reap", "wait for a child", calls.CHILD_WAITS),
        )
    }


def _process() -> frozenset[str]:
    return calls.FORKS | calls.EXECS | calls.EXITS | calls.CHILD_WAITS | calls.KILLS | {"rt_sigqueueinfo", "unshare"}


def _signal() -> frozenset[str]:
    sent = calls.SIGNAL_SENDS | calls.SIGNAL_ACTIONS | calls.SIGNAL_MASKS | calls.SIGNAL_RETURNS
    return sent | calls.SIGNAL_WAITS | calls.SIGNALFDS | calls.PAUSES | {"rt_sigpending", "sigpending", "sigaltstack"}


def _with(parameters: frozenset[str]) -> frozenset[str]:
    """Return the calls that have one of these parameters."""
    return frozenset(call for call in calls.SYSCALLS if not parameters.isdisjoint(names(call) or ()))
