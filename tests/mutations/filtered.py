"""Mutations that leave out what an option of strace would not have recorded."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from recorded_lines import Line, joined
from survival import Found, Mutant, is_left


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AT = """openat mkdirat mknodat fchownat newfstatat unlinkat renameat renameat2 linkat symlinkat readlinkat fchmodat
faccessat faccessat2 utimensat statx inotify_add_watch"""
_FILE = f"""{_AT} access chdir chmod chown execve execveat getcwd link lstat mkdir mknod mount open readlink rename
rmdir stat statfs symlink truncate unlink utime"""
_NETWORK = """accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendfile
sendmmsg sendmsg sendto setsockopt shutdown socket socketpair"""
_DESC = f"""{_AT} close close_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
epoll_wait eventfd eventfd2 fadvise64 fallocate fchdir fchmod fchown fcntl fdatasync flock fstat fstatfs fsync ftruncate
getdents getdents64 inotify_init inotify_init1 ioctl lseek memfd_create mmap open pipe pipe2 poll ppoll pread64 preadv
pselect6 pwrite64 pwritev read readahead readv select sendfile signalfd signalfd4 splice timerfd_create timerfd_settime
write writev"""
_PROCESS = """clone clone3 execve execveat exit exit_group fork kill rt_sigqueueinfo tgkill tkill vfork wait4 waitid"""
CLASSES = {
    "file": _names(_FILE),
    "network": _names(_NETWORK),
    "desc": _names(_DESC),
    "process": _names(_PROCESS),
}
"""The calls of strace's classes, as far as the samples make them: src/linux/x86_64/syscallent.h, strace 6.1."""

_DATA = _names(
    """read write pread64 pwrite64 readv writev preadv pwritev sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg"""
)
"""Calls whose strings are data, which `-s` cuts; paths and addresses are always printed in full."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)+"(?:\.\.\.)?')
_ARGUMENTS = re.compile(r'(?<=, )\[".*?"\](?=, )')


def only_a_class(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """`-e trace=%CLASS`."""
    for kind, names in CLASSES.items():
        yield _mutant(f"-e trace=%{kind}", [line for line in lines if not line.name or line.name in names], found)


def only_a_status(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """`-Z` and `-z`."""
    whole = joined(list(lines))
    for option, outcome in (("-Z", "failed"), ("-z", "successful")):
        yield _mutant(option, [line for line in whole if not line.name or line.outcome == outcome], found)


def first_process_only(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """No `-f`: the threads and children of the first process are not followed, and no line has a pid."""
    first = lines[0].pid
    if any(line.pid != first for line in lines):
        kept = [line._replace(text=line.text.partition(" ")[2].lstrip()) for line in joined(list(lines))]
        yield _mutant("no -f", [line for line in kept if line.pid == first], found)


def no_strings(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """`-s 0`."""
    yield _mutant("-s 0", [line._replace(text=_cut(line)) for line in lines], found)


def _cut(line: Line) -> str:
    if line.name in _DATA:
        return line.front + _STRING.sub('""...', line.record)
    return line.front + _ARGUMENTS.sub("[...]", line.record, count=1) if line.name == "execve" else line.text


def _mutant(option: str, kept: Sequence[Line], found: Collection[Found]) -> Mutant:
    """Make a mutant; judged are the findings whose primary step, loops and most steps are still recorded."""
    names = {line.number: line.name for line in kept}
    judged = tuple(each for each in found if is_left(each, names) and _is_recorded(each, set(names)))
    return Mutant(option, "", [(line.number, line.text) for line in kept], judged)


def _is_recorded(found: Found, numbers: set[int]) -> bool:
    recorded = sum(number in numbers for number in found.steps)
    return numbers.issuperset((found.primary, *found.repeated)) and 2 * recorded >= len(found.steps)
