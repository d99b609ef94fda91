"""Programs that strace runs without the privileges of their file: set-user-ID, set-group-ID and file capabilities.

The kernel does not honour them in an execve that a tracer without CAP_SYS_PTRACE watches: execve(2), ptrace(2).
"""

from __future__ import annotations

import re

from tracediag.evidence.complaints import said_by
from tracediag.evidence.names import program_name
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message

_PROGRAMS = frozenset(
    {
        *("arping", "at", "chage", "chfn", "chsh", "clockdiff", "crontab", "doas", "dumpcap", "expiry", "fping"),
        *("fusermount", "fusermount3", "gpasswd", "ksu", "mount", "mount.cifs", "mount.nfs", "mtr-packet", "ndisc6"),
        *("newgidmap", "newgrp", "newuidmap", "ntfs-3g", "passwd", "ping", "ping4", "ping6", "pkexec", "pppd"),
        *("ssh-keysign", "su", "sudo", "sudoedit", "traceroute6", "umount", "unix_chkpwd", "usernetctl"),
    }
)
"""Programs that distributions install set-user-ID or set-group-ID, or with file capabilities."""

_WORDS = lazy_pattern(
    r"effective uid is not 0|\bset-?u(?:ser-)?id root|\bsuid root|\bsetuid bit|\bmust be (?:installed )?s(?:et)?uid\b"
    r"|\bsetuid sandbox is not running as root|\bneeds? to be (?:installed )?s(?:et)?uid\b",
    re.IGNORECASE,
)
"""What such programs report if they run without: sudo, pkexec, Xorg, Chromium."""
_REFUSED = frozenset({"EPERM", "EACCES"})


def denied(process: Process, call: Syscall) -> bool:
    """Whether a call probably failed for want of privileges that the process lacks only because it is traced."""
    if call.errno not in _REFUSED or process.executed is None:
        return False
    if process.uids.effective == 0:
        return False
    users = {process.uids.real, process.uids.effective} - {None}
    installed_so = program_name(process.program) in _PROGRAMS and bool(users) and 0 not in users
    return installed_so or _is_secure(process) or lost_words(process) is not None


def _is_secure(process: Process) -> bool:
    """Whether the C library found AT_SECURE set: so it is for such files, also where strace keeps their identity away.

    glibc looks for this file in secure mode only (elf/dl-support.c, until 2.37).
    """
    return any(call.name == "access" and call.path(0) == "/etc/suid-debug" for call in process.failures)


def lost_words(process: Process) -> Message | None:
    """Return the message in which a traced program misses the identity of its file; None if there is none.

    Under strace as root, or with -u, the effective user is 0: then the file itself lacks the mode.
    """
    if process.executed is None or not process.messages or process.uids.effective == 0:
        return None
    return next((one for one in said_by(process).calls if _WORDS.search(one.body)), None)


WHY = (
    "strace run by an ordinary user takes the set-user-ID, set-group-ID and file capabilities of a program away:"
    " it runs with the user's own privileges, and may work untraced: strace(1), option -u; execve(2)"
)


def fix(program: str | None) -> str:
    """Return how to record a program, given by its path, with its privileges."""
    name = program_name(program) or "COMMAND"
    return f"none needed in the program; record it as root: strace -f -u USER -o run.strace {name} ..."
