"""Where the paths of a process start: its working directory and its root: chdir(2), chroot(2), path_resolution(7).

Both are given as strace sees them, from its own root: a path in a chroot begins with the path of that chroot. What the
trace has not shown is None. A `..` stands where the directory before it may be a symbolic link.
"""

from __future__ import annotations

import msgspec

from tracediag.trace.events import Syscall

_LONGEST = 4096
"""PATH_MAX: a loop of relative chdirs must not make a path that grows without end."""
_KEPT = 16


class Place(msgspec.Struct, eq=False):
    """The working directory and root of one process, or of several that share them (CLONE_FS)."""

    root: str | None = "/"
    """None after a chroot to a path that is not known."""
    physical: bool = False
    """Whether the kernel itself showed the working directory, so that it contains no symbolic link."""
    moved: Syscall | None = None
    """The last call that changed the working directory."""
    stays: tuple[tuple[int, str | None], ...] = ((0, None),)
    """The working directories, each with the line from which on it holds; bounded, the latest last."""

    @property
    def cwd(self) -> str | None:
        """The working directory; None if the trace does not show it."""
        return self.stays[-1][1]

    @property
    def since(self) -> int | None:
        """The line of the call that last changed or showed the working directory."""
        line = max(self.stays[-1][0], 0 if self.moved is None else self.moved.line)
        return line or None

    def cwd_at(self, line: int) -> str | None:
        """Return the working directory at an earlier line; None if it is not known."""
        return next((path for start, path in reversed(self.stays) if start <= line), None)

    def move(self, call: Syscall, path: str | None, *, physical: bool) -> None:
        """Record that a call changed the working directory."""
        self.moved = call
        self._stay(call.line, path, physical=physical)

    def show(self, line: int, path: str | None) -> None:
        """Record that the kernel showed the working directory: getcwd(2)."""
        if path is not None:
            self._stay(line, path, physical=True)

    def _stay(self, line: int, path: str | None, *, physical: bool) -> None:
        path = None if path is None or len(path) > _LONGEST else path
        self.physical = physical and path is not None
        if path != self.cwd:
            self.stays = (*self.stays[1 - _KEPT :], (line, path))

    def absolute(self, path: str, base: str | None) -> str | None:
        """Return a path of the process joined to its root or to a directory; None where that is not known.

        Args:
            path: as the program passed it.
            base: the directory that a relative path starts from, such as `cwd`.
        """
        if path.startswith("/"):
            return None if self.root is None else joined(self.root, path, physical=self.root == "/")
        return None if base is None else joined(base, path, physical=self.physical and base == self.cwd)

    def copy(self) -> Place:
        """Copy it as fork does."""
        return Place(self.root, self.physical, self.moved, self.stays)


def joined(base: str, path: str, *, physical: bool = False) -> str:
    """Join a path to a directory; a leading `..` is resolved if that directory contains no symbolic link."""
    parts = [part for part in base.split("/") if part]
    for part in path.split("/"):
        if part == ".." and (not parts or physical):
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
            physical = False  # the rest of the path may lead through a link
    return "/" + "/".join(parts)
