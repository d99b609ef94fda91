"""The working directory and the root of a process: chdir(2), fchdir(2), getcwd(2), chroot(2), pivot_root(2)."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.handlers import handles
from tracediag.kernel.locating import directory
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of, text_of


@handles("chdir")
def chdir(action: Action, call: Syscall) -> None:
    """Move the working directory to a path."""
    if not call.failed and call.returned:
        place, path = action.thread.place, _text(call)
        place.move(call, None if path is None else place.absolute(path, place.cwd), physical=False)


@handles("fchdir")
def fchdir(action: Action, call: Syscall) -> None:
    """Move the working directory to an open one; the note of `-y` is the kernel's own path."""
    subject(action, call)
    if not call.failed and call.returned:
        path = directory(call, action.thread, 0)
        action.thread.place.move(call, path, physical=note_of(call.arg(0)) is not None)


@handles("getcwd")
def getcwd(action: Action, call: Syscall) -> None:
    """Learn the working directory: the call returns its path from the root of the process, without links."""
    path, place = None if call.failed else _text(call), action.thread.place
    if path is not None and path.startswith("/"):  # else "(unreachable)": outside of the root
        place.show(call.line, place.absolute(path, None))


@handles("chroot")
def chroot(action: Action, call: Syscall) -> None:
    """Change the root; the working directory stays: chroot(2)."""
    if not call.failed and call.returned:
        place, path = action.thread.place, _text(call)
        place.root = None if path is None else place.absolute(path, place.cwd)


@handles("pivot_root")
def pivot_root(action: Action, call: Syscall) -> None:
    """Forget root and working directory: pivot_root(2) moves them to another mount for every process on the old one."""
    if not call.failed and call.returned:
        place = action.thread.place
        place.root = None
        place.move(call, None, physical=False)


def _text(call: Syscall) -> str | None:
    """Return the path of a call; None where the trace does not show it in full."""
    path = text_of(call.arg(0))
    return None if path is None or path.shortened or not path.data else str(path)
