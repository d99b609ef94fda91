"""What a program inherits by execve, and whether that was intended."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

import msgspec

from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.inheritance import Inherited
from tracediag.kernel.process import Process
from tracediag.trace.calls import ACCEPTS, OPENS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import Array, Text, bare

_STANDARD_STREAMS = 3
_MAKERS = OPENS | ACCEPTS | {"socket"}
"""Not dup and dup2, which place a descriptor where a program expects it, nor pairs, which are made to be shared."""
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox", "fish"})
"""They open a number above 2 only if the script asks for that, for the programs that it starts: `exec 3<file`."""
_SECRET = lazy_pattern(
    r"/etc/g?shadow-?|.*/(?:id_(?:rsa|dsa|ecdsa|ed25519)|ssh_host_[a-z0-9]+_key)|.*\.(?:key|p12|pfx)"
)


class Leak(msgspec.Struct, eq=False):
    """A descriptor that another program has inherited by execve."""

    what: str
    """"listener", "connection", "lock", "secret" or "file"."""
    number: int
    file: OpenFile
    owner: Descriptor
    """The descriptor that fork copied."""
    process: Process
    """The process that runs the other program."""
    call: Syscall
    sure: bool = True
    """Whether the trace shows that the descriptor has no FD_CLOEXEC; if not, only a failure proves the leak."""
    also: int = 0
    """How many more of the kind the program has inherited."""
    left: Event | None = None
    """The owner's close or end, while the other program still has the descriptor open."""
    proof: Syscall | None = None
    """A call of another process that fails because the other program has the descriptor open."""

    @property
    def held(self) -> bool:
        """Whether the other program has neither used nor closed the descriptor: the model still has it as inherited."""
        inherited = self.process.table.inherited.get(self.number)
        return inherited is not None and inherited[0] is self.file

    @property
    def closes_are_shown(self) -> bool:
        """Whether the trace shows any close: a filter may omit them."""
        return bool(self.process.table.last_closed or self.owner.table.last_closed)


def leaks(process: Process, call: Syscall, locked: Container[OpenFile]) -> Iterator[Leak]:
    """Yield the descriptors that a child passes through execve without having used them, one of each kind.

    Args:
        process: the child.
        call: its execve.
        locked: the files that an flock lock is held on.
    """
    if process.parent is None or process.program in (None, process.former) or '"LISTEN_FDS=' in call.body:
        return
    found: dict[str, Leak] = {}
    for number, inherited in process.table.inherited.items():
        what = _kind(process, number, inherited, locked)
        if what is None or is_named(call, number):
            continue
        if what in found:
            found[what].also += 1
        else:
            found[what] = Leak(what, number, inherited[0], inherited[2], process, call, sure=inherited[1] is False)
    yield from found.values()


def is_named(call: Syscall, number: int) -> bool:
    """Whether the arguments of a program contain a number, as in `--fd 3` and `/dev/fd/3`."""
    value = bare(call.arg(2 if call.name == "execveat" else 1))
    texts = [str(item) for item in value.items if isinstance(item, Text)] if isinstance(value, Array) else []
    return any(re.search(rf"(?<![\w.]){number}(?![\w.])", text) for text in texts)


def _kind(process: Process, number: int, inherited: Inherited, locked: Container[OpenFile]) -> str | None:
    """Return the kind of a descriptor that should not be inherited; None where that may be intended or is harmless."""
    file, cloexec, owner = inherited
    opened = owner.opened
    if number < _STANDARD_STREAMS or cloexec or owner.kept is not None or _is_stream(process, file):
        return None
    if opened is not None and (opened.name not in _MAKERS or not _opened_by_ancestor(process, owner, opened)):
        return None
    if file.socket is not None:
        ready = file.socket.accepted is not None or file.socket.connected is not None
        return "listener" if file.socket.accepting else "connection" if ready else None
    if file in locked:
        return "lock"
    path = file.path
    if path is None or file.kind is not Kind.FILE or path.startswith("/dev/"):
        return None
    if _SECRET.fullmatch(path):
        return "secret"
    return "file" if file.flags.access in ("O_WRONLY", "O_RDWR") else None


def _opened_by_ancestor(process: Process, owner: Descriptor, opened: Syscall) -> bool:
    """Whether the program from which this process was forked opened it, and is not a shell."""
    parent = process.parent
    while parent is not None:
        if parent.executed is not None and parent.executed.line > opened.line:
            return False  # passed through an execve before, and reported then
        if (parent.program or "").rpartition("/")[2] in _SHELLS:
            return False
        if parent.table is owner.table:
            return True
        parent = parent.parent
    return True


def _is_stream(process: Process, file: OpenFile) -> bool:
    """Whether it is also a standard stream of the program: then it was passed on purpose."""
    table = process.table
    for number in range(_STANDARD_STREAMS):
        held, inherited = table.open.get(number), table.inherited.get(number)
        if (held is not None and held.file is file) or (inherited is not None and inherited[0] is file):
            return True
    return False
