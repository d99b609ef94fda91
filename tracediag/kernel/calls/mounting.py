"""Calls that show or change of which type a file system is: statfs(2), mount(2), umount2(2)."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.handlers import handles
from tracediag.trace.events import Syscall


@handles("statfs", "statfs64")
def statfs(action: Action, call: Syscall) -> None:
    """Record the type of the file system of a path."""
    path = call.path(0)
    if call.result == 0 and path is not None:
        action.kernel.file_systems.show(path, call)


@handles("fstatfs", "fstatfs64")
def fstatfs(action: Action, call: Syscall) -> None:
    """Record the type of the file system of an open file."""
    held = subject(action, call)
    if call.result == 0 and held is not None and held.file.path is not None:
        action.kernel.file_systems.show(held.file.path, call)


@handles("mount", "umount", "umount2")
def mount(action: Action, call: Syscall) -> None:
    """Forget the type of what lies at a path: a bind mount does not show its own, nor umount2 what it uncovers."""
    path = call.path(1 if call.name == "mount" else 0)
    if call.result == 0 and path is not None:
        action.kernel.file_systems.change(path)
