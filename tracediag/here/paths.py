"""Each component of a path as it is now: path_resolution(7)."""

from __future__ import annotations

import grp
import os
import posixpath
import pwd
import stat
from collections.abc import Iterator

import msgspec

_MOST_LINKS = 40
"""Symbolic links after which the kernel fails with ELOOP."""
_KINDS = {
    stat.S_IFREG: "regular file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "FIFO",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}
_NOT_SHOWN = frozenset({"relatime", "errors=remount-ro", "seclabel"})


class Walk(msgspec.Struct):
    """A path, followed component by component."""

    path: str
    real: str = "/"
    """The last component that exists, without symbolic links."""
    status: os.stat_result | None = None
    """That of the last component; None where the walk ended before it."""
    facts: list[str] = msgspec.field(default_factory=list)


def walk(path: str) -> Walk:
    """Follow a path; say of it what is not as usual: what is missing, no directory, closed to others, or a loop."""
    found = Walk(path)
    left = [part for part in path.split("/") if part]
    links = 0
    while left:
        part = left.pop(0)
        if part == "..":
            found.real = posixpath.dirname(found.real)
            continue
        at = posixpath.join(found.real, part)
        try:
            status = os.lstat(at)
        except FileNotFoundError:
            found.facts.append(_missing(found.real, at, last=not left))
            return found
        except OSError as error:
            found.facts.append(f"{at} cannot be looked at: {error.strerror}")
            return found
        if stat.S_ISLNK(status.st_mode):
            links += 1
            target = _target(at)
            if links > _MOST_LINKS:
                found.facts.append(f"more than {_MOST_LINKS} symbolic links, up to {at}")
                return found
            said = f"{at} is a symbolic link to {target}"
            if said in found.facts:
                found.facts.append(f"{at} leads back to itself: a circle")
                return found
            found.facts.append(said)
            left = [piece for piece in target.split("/") if piece] + left
            found.real = "/" if target.startswith("/") else found.real
            continue
        found.real = at
        if left and not stat.S_ISDIR(status.st_mode):
            found.facts.append(f"{at} is a {kind_of(status)}, not a directory: nothing can be below it")
            return found
        if left and not status.st_mode & stat.S_IXOTH:
            found.facts.append(f"{at} is {owned(status)}: only {_classes(status)} may pass through it")
    found.status = os.lstat(found.real) if found.status is None else found.status
    return found


def described(found: Walk) -> Iterator[str]:
    """Yield what the last component is, where the walk came so far."""
    status = found.status
    if status is None:
        return
    size = f", {status.st_size:,} bytes" if stat.S_ISREG(status.st_mode) else ""
    yield f"{found.real} exists: a {kind_of(status)}, {owned(status)}{size}"


def kind_of(status: os.stat_result) -> str:
    """Name the type of a file."""
    return _KINDS.get(stat.S_IFMT(status.st_mode), "file of an unknown type")


def owned(status: os.stat_result) -> str:
    """Return mode, owner and group: "mode 0750, owner root, group adm"."""
    mode = f"mode {stat.S_IMODE(status.st_mode):04o}"
    return f"{mode}, owner {user(status.st_uid)}, group {_group(status.st_gid)}"


def user(uid: int) -> str:
    """Return the name of a user, or the number of one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def mount_of(path: str) -> str:
    """Say on which file system a path lies: "ext4 /dev/vda1 on /srv, ro,noexec"; "" where that cannot be read."""
    best: tuple[int, str] = (-1, "")
    for point, text in _mounts():
        below = path == point or path.startswith(point.rstrip("/") + "/")
        if below and len(point) >= best[0]:
            best = (len(point), text)
    return best[1]


def is_mount_point(path: str) -> bool:
    """Whether something is mounted on a path."""
    return any(point == path for point, _ in _mounts())


def space(path: str) -> str:
    """Say how much space and how many inodes the file system of a path has: statvfs(3)."""
    try:
        found = os.statvfs(path)
    except OSError as error:
        return f"the space of {path} cannot be read: {error.strerror}"
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    reserved = (found.f_bfree - found.f_bavail) * found.f_frsize
    more = f", and {_size(reserved)} reserved for root" if reserved else ""
    inodes = f"{found.f_favail:,} of {found.f_files:,} inodes" if found.f_files else "inodes without a limit"
    return f"free: {_size(free)} of {_size(total)}{more}; {inodes}"


def _size(count: int) -> str:
    return f"{count >> 20:,} MiB" if count >= 10 << 20 else f"{count >> 10:,} KiB"


def _mounts() -> Iterator[tuple[str, str]]:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        words = line.split(" ")
        if "-" not in words or len(words) < 10:
            continue
        at = words.index("-")
        point = words[4].replace("\\040", " ")
        flags = dict.fromkeys([*words[5].split(","), words[at + 3].split(",")[0]])
        shown = ",".join(flag for flag in flags if flag not in _NOT_SHOWN)
        yield point, f"{words[at + 1]} {words[at + 2]} on {point}, {shown}"


def _missing(folder: str, at: str, *, last: bool) -> str:
    alike = _alike(folder, posixpath.basename(at))
    hint = f"; {folder} has {alike}" if alike else ""
    return f"{at} does not exist{'' if last else ', nor what is below it'}; {folder} does{hint}"


def _alike(folder: str, name: str) -> str:
    """Return a name in a folder that differs from the wanted one only in case."""
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(20_000), entries, strict=False):
                if entry.name.casefold() == name.casefold():
                    return entry.name
    except OSError:
        return ""
    return ""


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return "?"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _classes(status: os.stat_result) -> str:
    owner, group = user(status.st_uid), _group(status.st_gid)
    names = [f"user {owner}"] if status.st_mode & stat.S_IXUSR else []
    names += [f"group {group}"] if status.st_mode & stat.S_IXGRP else []
    named = " and ".join(names)
    return f"root and {named}" if named and owner != "root" else named or "root"
