"""The words of ignored-failure-strikes-later: why, and what to do."""

from __future__ import annotations

from tracediag.evidence.complaints import meaning
from tracediag.kernel.describe import describe_file
from tracediag.rules.file._chains import First, How
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

WHY = {
    How.IN_THE_WAY: "the later error only means that the path exists; the errno of the earlier call is the reason:"
    " unlink(2), errno(3)",
    How.MISSING: "ENOENT only means that a component of the path is missing; the errno of the earlier call is the"
    " reason: path_resolution(7)",
    How.ELSEWHERE: "a failed chdir leaves the working directory unchanged, so later relative paths refer to the old"
    " directory: chdir(2), path_resolution(7)",
    How.FORBIDDEN: "a failed chmod or chown leaves owner and mode unchanged, and later calls are checked against the"
    " old values: chmod(2), chown(2)",
    How.IN_USE: "without SO_REUSEADDR, bind fails while connections of an earlier server are in TIME_WAIT: socket(7),"
    " ip(7)",
    How.TOO_FEW: "a failed setrlimit leaves the old limit in force, and opening more descriptors fails with EMFILE:"
    " getrlimit(2)",
    How.TOO_SHORT: "access to a page of a mapping beyond the end of the file raises SIGBUS, even if mmap succeeded:"
    " mmap(2)",
}

_CURES = {
    "EISDIR": "use rmdir to remove a directory, or choose another path",
    "ENOTEMPTY": "empty the directory first",
    "EBUSY": "find the process that uses it (fuser, lsof)",
    "EROFS": "use a path on a file system that is mounted read-write",
    "ENOSPC": "free disk space first",
    "ENOENT": "create the parent directory first, or correct the path",
    "ENOTDIR": "a component of the path is a file",
    "EACCES": "give the user of the process write and search permission on the parent directory",
    "EPERM": "check the owner, the sticky bit of the directory (mode 1777) and the required capability",
}

OTHERS = (
    "failed-call-behind-exit",
    "failed-call",
    "address-in-use",
    "permission-denied",
    "missing-directory",
    "missing-file",
    "wrong-path-kind",
    "read-only-filesystem",
    "no-space",
    "descriptor-limit-reached",
    "mapping-truncated",
    "crashed",
)
"""The rules that may report one of the two calls by itself."""


def outcome(later: Syscall | Signal) -> str:
    """Return what happens to the later call."""
    if isinstance(later, Signal):
        return "access to the mapping raises SIGBUS"
    if not later.failed:
        return f"{later.name} works in the wrong directory"
    return f"{later.name} fails as a result ({meaning(later.errno or '')})"


def subject(before: First) -> str:
    """Return the earlier call and its object: "unlink of lock", "chdir to /srv", "ftruncate on fd 3 (table)"."""
    call = before.call
    path = path_of(before)
    if path is not None:
        return f"{call.name} {'to' if call.name == 'chdir' else 'of'} {path}"
    if before.file is None:
        return f"{call.name} of RLIMIT_NOFILE"
    what = describe_file(before.file)
    return f"{call.name} on fd {call.number(0)}{f' ({what})' if what else ''}"


def path_of(before: First) -> str | None:
    """Return the path of the earlier call, the new one of a rename; None if it has none, or the trace cuts it."""
    return next((path for path in reversed(before.paths) if path), None)


def fix(before: First) -> str:
    """Return what to do about the earlier call."""
    call, errno = before.call, before.call.errno or ""
    cure = _CURES.get(errno)
    if call.name == "chdir" and errno == "ENOENT":
        cure = "create the directory first, or correct the path"
    if call.name not in ("unlink", "unlinkat") and errno == "EISDIR":
        cure = None
    return (
        f"check the result of {subject(before)} at line {call.line}, and stop or handle {errno}"
        f"{f': {cure}' if cure else ''}"
    )
