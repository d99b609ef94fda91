"""What failed on what, in words."""

from __future__ import annotations

import posixpath

from tracediag.evidence.blame import Blame
from tracediag.evidence.complaints import meaning, target
from tracediag.trace.calls import (
    ACCEPTS,
    CONTROLS,
    EPOLL_CTLS,
    FILE_READS,
    FILE_WRITES,
    FSYNCS,
    FTRUNCATES,
    GETDENTS,
    LOCKS,
    POSITIONED,
    SEEKS,
    SENDFILES,
    SOCKET_TRANSFERS,
)
from tracediag.trace.values import text_of

_ON_FD = (
    (FILE_READS | FILE_WRITES | POSITIONED | SOCKET_TRANSFERS | SENDFILES | ACCEPTS | CONTROLS | FSYNCS | FTRUNCATES)
    | (LOCKS | SEEKS | GETDENTS | EPOLL_CTLS)
    | {"listen", "ioctl", "fallocate", "setsockopt", "fchmod", "fchown", "fchown32", "close"}
)
"""Calls about the descriptor in their first argument."""
_NUMBERS = 1 << 20
"""Larger arguments are no descriptor."""
_LONGEST = 120
"""Characters of a path in a sentence."""


def object_of(blame: Blame) -> str | None:
    """Return the path or address that the call was made on, with the directory that a relative path starts from."""
    path = target(blame.call if blame.connect is None else blame.connect)
    if path is not None and blame.directory is not None:
        path = posixpath.join(str(text_of(blame.directory.arg(0)) or ""), path)
    elif blame.file is not None and blame.connect is None:
        path = blame.file if path is None else posixpath.join(blame.file, path)
    return None if path is None else brief(path)


def brief(path: str) -> str:
    """Return a path as a sentence can hold it: of a long one the beginning and the end."""
    return path if len(path) <= _LONGEST else f"{path[: _LONGEST // 2]}…{path[-_LONGEST // 2 :]}"


def failure_of(blame: Blame) -> str:
    """Return what failed: "openat of /etc/x fails with ENOENT (no such file or directory)"."""
    if blame.search is not None:
        return blame.search.told
    call, path = blame.call, object_of(blame)
    error = f"fails with {call.errno} ({meaning(call.errno or '')})"
    if call.name == "getsockopt":
        return f"the connection{f' to {path}' if path else ''} {error}"
    number = call.number(0)
    on_fd = number is not None and 0 <= number < _NUMBERS and call.name in _ON_FD
    if path is not None and on_fd and blame.file is not None:
        return f"{call.name} on fd {number} ({path}) {error}"
    if path is not None:
        return f"{call.name} {'to' if call.name == 'connect' else 'of'} {path} {error}"
    return f"{call.name}{f' on fd {number}' if on_fd else ''} {error}"
