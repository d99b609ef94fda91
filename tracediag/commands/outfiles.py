"""Report files: replaced when complete, or left as they were; and how to detect that two paths are the same file.

A regular file is written next to its target and renamed at the end, so that the old report survives a failed run. Any
other file (/dev/stdout, a FIFO) is written directly.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

from tracediag.commands.errors import UsageError

Key = tuple[int, int] | str
"""The identity of a file: device and inode, or its path if it does not exist yet."""


class File:
    """A device, a FIFO or a standard stream, written directly."""

    def __init__(self, path: str, descriptor: int, *, standard: bool = False) -> None:
        """Wrap an open descriptor; `standard` means that it is standard output or standard error."""
        self.path = path
        self.standard = standard
        self._stream = open(descriptor, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115

    def write(self, text: str) -> None:
        """Write all of the text; raises OSError if the write fails."""
        self._stream.write(text)
        self._stream.flush()

    def write_bytes(self, data: bytes) -> None:
        """Write data that is no text; raises OSError if the write fails."""
        self._stream.flush()
        self._stream.buffer.write(data)
        self._stream.flush()

    def commit(self) -> None:
        """Complete the report."""
        self._stream.close()

    def discard(self) -> None:
        """Discard the report."""
        with contextlib.suppress(OSError):
            self._stream.close()


class _Replacement(File):
    """A regular file: the report is written to a temporary file next to it until it is complete."""

    def __init__(self, path: str) -> None:
        self._target = os.path.realpath(path)
        self._folder = os.path.dirname(self._target)  # noqa: PTH120
        import tempfile  # a report in a file is rare

        descriptor, self._beside = tempfile.mkstemp(prefix=".tracediag-", suffix=".tmp", dir=self._folder)
        self._written = False
        super().__init__(path, descriptor)

    def write(self, text: str) -> None:
        """Write to the temporary file."""
        super().write(text)
        self._written = True

    def write_bytes(self, data: bytes) -> None:
        """Write to the temporary file."""
        super().write_bytes(data)
        self._written = True

    def commit(self) -> None:
        """Rename the report to its target, with the permissions of the old one; without a report the old one stays."""
        if not self._written:
            self.discard()
            return
        descriptor = self._stream.fileno()
        _copy_attributes(descriptor, self._target)
        os.fsync(descriptor)
        self._stream.close()
        os.replace(self._beside, self._target)  # noqa: PTH105
        _sync_folder(self._folder)

    def discard(self) -> None:
        """Remove the temporary file."""
        super().discard()
        with contextlib.suppress(OSError):
            os.unlink(self._beside)  # noqa: PTH108


def _copy_attributes(descriptor: int, target: str) -> None:
    """Give a new file the owner and permissions of the old one, but no set-user-ID, or those that any new file gets."""
    try:
        old = os.stat(target)  # noqa: PTH116
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o777)


def _sync_folder(folder: str) -> None:
    """Flush the new name to disk: fsync(2)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # not every file system supports it
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_file(path: str) -> File:
    """Open a report file; early, so that a wrong path does not waste a long analysis. Raises `UsageError`."""
    try:
        status = _status(path)
        if status is not None and (number := _standard(path, status)):
            return File(path, os.dup(number), standard=True)
        if status is not None and not stat.S_ISREG(status.st_mode):
            return File(path, os.open(path, os.O_WRONLY | os.O_CLOEXEC))
        if os.path.realpath(path).startswith("/proc/") or os.path.dirname(os.path.abspath(path)) == "/dev":  # noqa: PTH100, PTH120
            raise UsageError(f"{path}: files cannot be created there")
        if path.endswith("/"):
            raise UsageError(f"{path}: is a directory")
        if status is not None and not os.access(path, os.W_OK):
            raise UsageError(f"{path}: Permission denied")
        if status is not None and _is_kept_by_sticky_folder(path, status):
            raise UsageError(f"{path}: belongs to another user, and its folder is sticky: it cannot be replaced")
        return _Replacement(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _is_kept_by_sticky_folder(path: str, status: os.stat_result) -> bool:
    """Whether only others may rename onto the file: rename(2), EPERM. A user 0 without CAP_FOWNER learns it later."""
    folder = os.stat(os.path.dirname(os.path.realpath(path)))  # noqa: PTH116, PTH120
    user = os.geteuid()
    return bool(folder.st_mode & stat.S_ISVTX) and user not in {0, status.st_uid, folder.st_uid}


def _standard(path: str, status: os.stat_result) -> int | None:
    """Return 1 or 2 if the path is standard output or error: these have a file offset, which must be kept."""
    for number, name in ((1, "standard output"), (2, "standard error")):
        if os.path.samestat(os.fstat(number), status):
            if path.startswith(("/dev/", "/proc/")):
                return number
            if stat.S_ISREG(status.st_mode):
                raise UsageError(f"{path}: {name} is redirected to this file")
    return None


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None


def key_of(path: str) -> Key:
    """Return a key that is equal for all paths of one file."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return os.path.realpath(path)
    return (status.st_dev, status.st_ino)


def keys_of(inputs: Iterable[str]) -> Iterator[Key]:
    """Yield the keys of the inputs that are regular files or do not exist yet."""
    from tracediag.reading.sets import members_of

    for path in inputs:
        if path == "-":
            status = os.fstat(0)
            if stat.S_ISREG(status.st_mode):
                yield (status.st_dev, status.st_ino)
            continue
        for name in (path, *(() if os.path.exists(path) else members_of(path))):  # noqa: PTH110
            if not os.path.exists(name) or os.path.isfile(name):  # noqa: PTH110, PTH113
                yield key_of(name)
