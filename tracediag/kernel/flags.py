"""File status flags of an open file description, as far as the trace has shown them: fcntl(2)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, names_of

SETTABLE = frozenset({"O_APPEND", "O_ASYNC", "O_DIRECT", "O_NOATIME", "O_NONBLOCK"})
"""The flags that F_SETFL can change; it ignores all others, such as the access mode: fcntl(2)."""

ACCESS_MODES = frozenset({"O_RDONLY", "O_WRONLY", "O_RDWR"})

_ALIASES = {"O_NDELAY": "O_NONBLOCK", "SOCK_NONBLOCK": "O_NONBLOCK", "FASYNC": "O_ASYNC", "EFD_NONBLOCK": "O_NONBLOCK"}

# asm-generic/fcntl.h; x86, arm and riscv agree on these except for O_DIRECT and O_NOATIME on arm.
_BITS = {
    0o2000: "O_APPEND",
    0o4000: "O_NONBLOCK",
    0o20000: "O_ASYNC",
    0o40000: "O_DIRECT",
    0o1000000: "O_NOATIME",
}
_MODES = ("O_RDONLY", "O_WRONLY", "O_RDWR")


def canonical(names: Iterable[str]) -> frozenset[str]:
    """Return the flags under one name each: O_NDELAY and SOCK_NONBLOCK are O_NONBLOCK."""
    return frozenset(_ALIASES.get(name, name) for name in names)


def decode(bits: int) -> frozenset[str]:
    """Return the names of status flags given as a number, including the access mode."""
    names = {name for bit, name in _BITS.items() if bits & bit}
    mode = bits & 3
    return frozenset(names | ({_MODES[mode]} if mode < len(_MODES) else set()))


class StatusFlags(msgspec.Struct, eq=False):
    """The known status flags: some are known to be on, some off, the rest is unknown."""

    known: dict[str, bool] = msgspec.field(default_factory=dict)
    access: str | None = None
    complete: bool = False
    """Whether a flag that is not in `known` is off, not unknown."""
    changed: Syscall | None = None
    """The last call that changed them."""
    fetched: Syscall | None = None
    """The last F_GETFL on the description."""
    unblocked: Syscall | None = None
    """The call that turned O_NONBLOCK on, while it is on; None if the description was created with it."""

    def has(self, name: str) -> bool | None:
        """Return whether the flag is on; None if the trace does not show it."""
        return self.known.get(name, False if self.complete else None)

    @property
    def on(self) -> frozenset[str]:
        """The settable flags known to be on."""
        return frozenset(name for name, is_on in self.known.items() if is_on)

    def fetch(self, call: Syscall) -> None:
        """Record the result of an F_GETFL."""
        if call.detail.startswith("flags "):
            self.learn(call.detail.removeprefix("flags ").split("|"))
        elif call.result is not None:
            self.learn(decode(call.result))
        self.fetched = call

    def learn(self, names: Iterable[str]) -> None:
        """Record a complete set of flags, from open, socket or F_GETFL."""
        given = canonical(names)
        self.access = next(iter(given & ACCESS_MODES), self.access)
        self.known = dict.fromkeys(given & SETTABLE, True)
        self.complete = True
        if "O_NONBLOCK" not in given:
            self.unblocked = None

    def replace(self, names: Iterable[str], call: Syscall) -> None:
        """Replace the settable flags, as F_SETFL does."""
        given = canonical(names)
        self._unblock("O_NONBLOCK" in given, call)
        self.known = {name: name in given for name in SETTABLE}
        self.complete = True
        self.changed = call

    def put(self, name: str, on: bool, call: Syscall) -> None:
        """Set one flag, as ioctl FIONBIO does."""
        if name == "O_NONBLOCK":
            self._unblock(on, call)
        self.known[name] = on
        self.changed = call

    def _unblock(self, on: bool, call: Syscall) -> None:
        if not on:
            self.unblocked = None
        elif not self.has("O_NONBLOCK"):
            self.unblocked = call


_FLAGS_AT = {"open": 1, "openat": 2, "open_by_handle_at": 2}


def opened_with(call: Syscall) -> StatusFlags:
    """Return the status flags of a description that open(2) creates; unknown for other calls."""
    made = StatusFlags()
    if call.name == "creat":
        made.learn(("O_WRONLY",))
    elif call.name == "openat2" and isinstance(how := call.arg(2), Structure):
        made.learn(names_of(how.get("flags")))
    elif call.name in _FLAGS_AT:
        made.learn(names_of(call.arg(_FLAGS_AT[call.name])))
    return made
