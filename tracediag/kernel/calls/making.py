"""Calls that create descriptors of rarer kinds: bpf(2), fsopen(2), mq_open(2), seccomp(2), ioctl(2), clone(2)."""

from __future__ import annotations

import re
from collections.abc import Collection

from tracediag.kernel.action import Action
from tracediag.kernel.calls.opening import annotate
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.flags import StatusFlags
from tracediag.kernel.handlers import handles
from tracediag.kernel.learning import as_socket
from tracediag.kernel.numbers import install
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import names_of

_BPF = frozenset(
    {"BPF_MAP_CREATE", "BPF_PROG_LOAD", "BPF_OBJ_GET", "BPF_RAW_TRACEPOINT_OPEN", "BPF_BTF_LOAD", "BPF_LINK_CREATE"}
    | {"BPF_PROG_GET_FD_BY_ID", "BPF_MAP_GET_FD_BY_ID", "BPF_BTF_GET_FD_BY_ID", "BPF_LINK_GET_FD_BY_ID"}
    | {"BPF_ENABLE_STATS", "BPF_ITER_CREATE", "BPF_TOKEN_CREATE"}
)
"""The commands of bpf(2) that return a descriptor: kernel/bpf/syscall.c."""
_SOCKETCALLS: dict[int | str, bool] = {1: True, "SYS_SOCKET": True, 5: False, "SYS_ACCEPT": False}
_SOCKETCALLS |= {18: False, "SYS_ACCEPT4": False}
"""The operations of socketcall(2) that return a socket, and whether it is a new one: socketcall(2)."""
_PIDFD = re.compile(r"\bpidfd=\[([0-9]{1,10}+)")
_PARENT_TID = re.compile(r"\bparent_tid(?:ptr)?=\[([0-9]{1,10}+)")
"""Where clone3 and clone report the pidfd: clone(2), CLONE_PIDFD."""

IOCTL_MAKERS = frozenset(
    {"TIOCGPTPEER", "KVM_CREATE_VM", "KVM_CREATE_VCPU", "KVM_GET_STATS_FD", "KVM_CREATE_GUEST_MEMFD", "SIOCGSKNS"}
    | {"NS_GET_USERNS", "NS_GET_PARENT", "TUNGETDEVNETNS", "USERFAULTFD_IOC_NEW", "VFIO_GROUP_GET_DEVICE_FD"}
    | {"PIDFD_GET_CGROUP_NAMESPACE", "PIDFD_GET_IPC_NAMESPACE", "PIDFD_GET_MNT_NAMESPACE", "PIDFD_GET_NET_NAMESPACE"}
    | {"PIDFD_GET_PID_NAMESPACE", "PIDFD_GET_TIME_NAMESPACE", "PIDFD_GET_USER_NAMESPACE", "PIDFD_GET_UTS_NAMESPACE"}
)
"""The requests of ioctl(2) whose result is a new descriptor."""
_KEPT = frozenset({"TIOCGPTPEER", "VFIO_GROUP_GET_DEVICE_FD", "USERFAULTFD_IOC_NEW"})
"""Those that set FD_CLOEXEC only on request; the others always do."""


def make(action: Action, call: Syscall, kind: Kind, *, cloexec: bool) -> OpenFile | None:
    """Install the descriptor that a call returned; return its description, or None if the call failed."""
    if call.result is None or call.result < 0 or call.failed:
        return None
    flags = StatusFlags()
    file = OpenFile(kind, call, known_flags=flags)
    annotate(action, file, call)
    install(action, call.result, file, cloexec=cloexec)
    return file


def _asked(call: Syscall, place: int) -> bool:
    return any(name.endswith("_CLOEXEC") for name in names_of(call.arg(place)))


@handles("memfd_secret")
def memfd_secret(action: Action, call: Syscall) -> None:
    """Create a file in memory that the kernel itself cannot read."""
    make(action, call, Kind.MEMFD, cloexec=_asked(call, 0))


@handles("fsopen", "fsmount")
def file_system(action: Action, call: Syscall) -> None:
    """Create a file system context, or a mount that is attached nowhere yet."""
    make(action, call, Kind.OTHER, cloexec=_asked(call, 1))


@handles("fspick", "open_tree", "open_tree_attr")
def mount(action: Action, call: Syscall) -> None:
    """Open a mount that exists."""
    make(action, call, Kind.OTHER, cloexec=_asked(call, 2))


@handles("mq_open")
def message_queue(action: Action, call: Syscall) -> None:
    """Open a message queue; the kernel always sets FD_CLOEXEC: ipc/mqueue.c."""
    file = make(action, call, Kind.OTHER, cloexec=True)
    if file is not None:
        file.flags.learn(names_of(call.arg(1)))


@handles("landlock_create_ruleset")
def ruleset(action: Action, call: Syscall) -> None:
    """Create a ruleset; with flags the call returns the version of the interface instead."""
    if not call.number(2) and not names_of(call.arg(2)):
        make(action, call, Kind.OTHER, cloexec=True)


@handles("bpf")
def bpf(action: Action, call: Syscall) -> None:
    """Create or open a map, a program, a link or a type description; FD_CLOEXEC is always set: bpf(2)."""
    if names_of(call.arg(0)) & _BPF:
        make(action, call, Kind.OTHER, cloexec=True)


@handles("socketcall")
def socketcall(action: Action, call: Syscall) -> None:
    """Create or accept a socket through the multiplexer of old 32-bit machines, where strace does not decode it."""
    asked = (call.number(0), *names_of(call.arg(0)))
    made = [_SOCKETCALLS[word] for word in asked if word in _SOCKETCALLS]
    file = make(action, call, Kind.SOCKET, cloexec=False) if made else None
    if file is not None:
        as_socket(file).accepted = None if made[0] else call


def listener(action: Action, call: Syscall) -> None:
    """Create the descriptor on which a supervisor gets notifications: seccomp_unotify(2)."""
    if call.has("SECCOMP_FILTER_FLAG_NEW_LISTENER"):
        make(action, call, Kind.OTHER, cloexec=True)


def from_ioctl(action: Action, call: Syscall, requests: Collection[str]) -> None:
    """Create the descriptor that an ioctl returned."""
    for request in IOCTL_MAKERS.intersection(requests):
        terminal = request == "TIOCGPTPEER"
        asked = call.has("O_CLOEXEC") or request not in _KEPT
        file = make(action, call, Kind.DEVICE if terminal else Kind.OTHER, cloexec=asked)
        if file is not None:
            file.terminal = terminal


def pidfd_of_child(action: Action, call: Syscall) -> None:
    """Create the pidfd that clone returned beside the child; FD_CLOEXEC is always set: clone(2)."""
    found = (_PIDFD if call.name == "clone3" else _PARENT_TID).search(call.body)
    if found is not None and call.result is not None and call.result > 0:
        file = OpenFile(Kind.PIDFD, call, known_flags=StatusFlags())
        install(action, checked_integer(found[1]), file, cloexec=True)
