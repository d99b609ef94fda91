"""The classes of calls that a query names: `call in %file`. Those of strace, and finer ones.

`%file` and `%desc` are the calls with a path and with a descriptor among their parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, partial

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


class CallClass(msgspec.Struct, frozen=True, dict=True):
    """Calls under one name."""

    name: str
    """With its sign: "%file"."""
    doc: str
    members: Callable[[], frozenset[str]]
    """Finds the calls: few queries name a class whose calls have to be looked for."""

    @cached_property
    def calls(self) -> frozenset[str]:
        """The calls of the class."""
        return self.members()


@cache
def classes() -> dict[str, CallClass]:
    """Return all classes by name."""
    return {
        found.name: found
        for found in (
            CallClass("%file", "take the path of a file", partial(_with, _PATHS)),
            CallClass("%desc", "take a descriptor, or return one", _descriptors),
            CallClass("%network", "create and use sockets", lambda: _NETWORK),
            CallClass("%process", "create, start, end and wait for processes", _process),
            CallClass("%signal", "send, handle and wait for signals", _signal),
            CallClass("%memory", "map, protect and lock memory", lambda: _MEMORY),
            CallClass("%open", "open a file by its path", lambda: calls.OPENS),
            CallClass("%look", "query a file by its path", lambda: calls.LOOKS),
            CallClass("%read", "read from any descriptor", lambda: calls.FILE_READS | calls.POSITIONED_READS),
            CallClass("%write", "write to any descriptor", lambda: calls.FILE_WRITES | calls.POSITIONED_WRITES),
            CallClass("%receive", "receive: read, recv and their like", lambda: calls.READS),
            CallClass("%send", "send: write, send and their like, sendfile", lambda: calls.WRITES | calls.SENDFILES),
            CallClass("%accept", "accept a connection", lambda: calls.ACCEPTS),
            CallClass("%wait", "wait for descriptors to be ready", lambda: calls.WAITS),
            CallClass("%sleep", "sleep for a time or until a signal", lambda: calls.IDLES),
            CallClass("%sync", "write modified data to disk", lambda: calls.SYNCS),
            CallClass("%close", "close descriptors", lambda: calls.CLOSES),
            CallClass("%dup", "copy a descriptor", lambda: calls.DUPS),
            CallClass("%rename", "rename a file", lambda: calls.RENAMES),
            CallClass("%remove", "remove a name", lambda: calls.REMOVES),
            CallClass("%fork", "create a process or a thread", lambda: calls.FORKS),
            CallClass("%exec", "execute a program", lambda: calls.EXECS),
            CallClass("%exit", "end a thread or process", lambda: calls.EXITS),
            CallClass("%reap", "wait for a child", lambda: calls.CHILD_WAITS),
        )
    }


def _descriptors() -> frozenset[str]:
    return _with(_DESCRIPTORS) | calls.MAKERS


def _process() -> frozenset[str]:
    return calls.FORKS | calls.EXECS | calls.EXITS | calls.CHILD_WAITS | calls.KILLS | {"rt_sigqueueinfo", "unshare"}


def _signal() -> frozenset[str]:
    sent = calls.SIGNAL_SENDS | calls.SIGNAL_ACTIONS | calls.SIGNAL_MASKS | calls.SIGNAL_RETURNS
    return sent | calls.SIGNAL_WAITS | calls.SIGNALFDS | calls.PAUSES | {"rt_sigpending", "sigpending", "sigaltstack"}


def _with(parameters: frozenset[str]) -> frozenset[str]:
    """Return the calls that have one of these parameters."""
    return frozenset(call for call in calls.SYSCALLS if not parameters.isdisjoint(names(call) or ()))
