"""What is said of a failure that strikes later: why, and what to do."""

from __future__ import annotations

from tracediag.evidence.complaints import meaning
from tracediag.rules.file._chains import How
from tracediag.trace.events import Signal, Syscall

WHY = {
    How.IN_THE_WAY: "a name stays until its removal succeeds, and nothing else can be made under it: unlink(2)",
    How.MISSING: "ENOENT tells that a part of the path is not there; why, the earlier result had said, which nobody"
    " looked at: path_resolution(7)",
    How.ELSEWHERE: "a failed chdir leaves the process where it was, and relative paths go on counting from there:"
    " chdir(2), path_resolution(7)",
    How.FORBIDDEN: "owner and mode stay as they were if the change fails, and later calls are judged by them: chmod(2)",
    How.IN_USE: "without SO_REUSEADDR an address cannot be bound as long as connections of a former server wait on it:"
    " socket(7)",
    How.TOO_FEW: "the limit stays as it was if the change fails, and what goes beyond it gives EMFILE: getrlimit(2)",
    How.TOO_SHORT: "a page of a mapping that lies wholly beyond the end of the file has nothing behind it: mmap(2)",
}

_CURES = {
    "EISDIR": "it is a directory, which takes rmdir, or another path",
    "ENOTEMPTY": "empty the directory first",
    "EBUSY": "find who uses it",
    "EROFS": "choose a place on a file system mounted for writing",
    "ENOSPC": "make room first",
    "ENOENT": "make its parent directory first, or correct the path",
    "ENOTDIR": "a part of the path is a file",
    "EACCES": "give the user of the process the right to the directory that holds it",
    "EPERM": "see to the owner, a sticky directory (mode 1777) or the privilege that it takes",
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
"""The rules that may speak of one of the two calls by itself."""


def outcome(later: Syscall | Signal) -> str:
    """Say what happens to the later of the two."""
    if isinstance(later, Signal):
        return "memory mapped from the file cannot be touched"
    if not later.failed:
        return f"{later.name} works in the wrong directory"
    return f"{later.name} fails for it ({meaning(later.errno or '')})"


def fix(call: Syscall, path: str | None, errno: str) -> str:
    """Say what to do about the earlier of the two."""
    on = f" of {path}" if path else ""
    cure = _CURES.get(errno)
    if call.name == "chdir" and errno == "ENOENT":
        cure = "make the directory first, or correct the path"
    if call.name not in ("unlink", "unlinkat") and errno == "EISDIR":
        cure = None
    return (
        f"look at the result of {call.name}{on} (line {call.line}), and stop there or go another way on {errno}"
        f"{f': {cure}' if cure else ''}"
    )
