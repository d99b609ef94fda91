r"""Parses what `-y` and `-yy` show of a descriptor: `3</etc/passwd>`, `5<TCP:[127.0.0.1:80->127.0.0.1:555]>`.

note                                            kind        further
/etc/passwd                                     path        path
/dev/ptmx<char 5:2 @/dev/pts/0>                 device      path, device "char 5:2", peer "/dev/pts/0"
pipe:[1]                                        pipe        inode
socket:[1]                                      socket      inode
TCP:[1]  TCP:[127.0.0.1:80]  TCP:[a->b]         socket      protocol "TCP", and inode; local; local and peer
UNIX-STREAM:[1->2, "/run/x"]                    socket      protocol, inode 1, peer "2", path "/run/x"
UNIX-DGRAM:[1,@"name"]                          socket      protocol, inode 1, path "@name"
NETLINK:[ROUTE:7]                               socket      protocol, local "ROUTE:7"
anon_inode:[eventpoll]  anon_inode:inotify      eventpoll   (the name itself is the kind)
{eventfd-count=0x1, ...}  anon_inode:[eventfd]  eventfd
signalfd:[INT QUIT]                             signalfd    local "INT QUIT"
pid:7<sh>                                       pidfd       inode None, local "7", path "sh"
mnt:[4026531841]                                namespace   protocol "mnt", inode
anything else, such as the name of a command    name        path
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from tracediag.trace.numbers import checked_integer, integer
from tracediag.trace.patterns import lazy_pattern

_FORM = lazy_pattern(
    r"""(?>
      (?P<path> (?>\(unreachable\))?+ / (?>[^<\\]++|\\.)*+ )
      (?: < (?P<device> (?:char|block) [ ] [0-9]+:[0-9]+ ) (?: [ ]@(?P<terminal>[^>]*+) )? > )?
    | anon_inode:\[? (?P<anonymous> [^\]]++ ) \]?
    | \{ (?P<detailed> \w++ ) -.*+
    | signalfd:\[ (?P<signals> [^\]]*+ ) \]
    | pid: (?P<pid> [0-9]++ ) (?: < (?P<comm>.*) > )?
    | (?P<protocol> [\w()-]++ ):\[ (?P<inner>.*) \]
    )""",
    re.VERBOSE | re.DOTALL,
)
_INODES = lazy_pattern(
    r"""(?P<inode> [0-9]{1,40}+ ) (?> -> (?P<peer> [0-9]++ ) )?+ (?: , [ ]? (?P<at> @? ) "(?P<path>.*)" )?""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = lazy_pattern(r"\\(?>x[0-9a-fA-F]{2}|[0-3][0-7]{2}|[0-7]{1,2}|.)", re.DOTALL)
_HEX = lazy_pattern(r"\\x([0-9a-f]{2})")
_NAMED_ESCAPES = {"n": 10, "r": 13, "t": 9, "v": 11, "f": 12}
_GONE = " (deleted)"
_NAMESPACES = frozenset({"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"})
_UNNAMED = frozenset({"socket", "(null)"})
"""Sockets whose protocol strace did not find: `socket:[7]`, before 4.10 also `(null):[7]`."""


class Annotation(msgspec.Struct, frozen=True):
    """What a descriptor refers to, as far as strace shows it."""

    kind: str
    protocol: str = ""
    """The protocol of a socket: "TCP", "UDPv6", "UNIX-STREAM", "NETLINK"; the kind of a namespace."""
    path: str = ""
    local: str = ""
    """The socket's own address: "127.0.0.1:80", "[::1]:80"."""
    peer: str = ""
    """The address, or for a unix socket the inode, of the other end."""
    inode: int | None = None
    device: str = ""
    """"char 5:2" or "block 8:0"."""
    deleted: bool = False


@lru_cache(maxsize=4096)
def parse_annotation(note: str, deleted: bool = False) -> Annotation:
    """Parse a note: the text between `<` and `>`, and whether `(deleted)` followed; never raises."""
    if note.startswith("\\x"):  # `-xx` writes all of a path as `\x2f\x65`
        note = _HEX.sub(_usual, note)
    if note.endswith(_GONE):  # inside the brackets before 5.10
        note, deleted = note[: -len(_GONE)], True
    match = _FORM.fullmatch(note)
    if match is None:
        return Annotation("name", path=_unescaped(note), deleted=deleted)
    if match["path"] is not None:
        return _file(match, deleted)
    if match["protocol"] is not None:
        return _numbered(match)
    if match["pid"] is not None:
        return Annotation("pidfd", local=match["pid"], path=match["comm"] or "")
    if match["signals"] is not None:
        return Annotation("signalfd", local=match["signals"])
    return Annotation(match["anonymous"] or match["detailed"], deleted=deleted)


def _file(match: re.Match[str], deleted: bool) -> Annotation:
    path = _unescaped(match["path"])
    device = match["device"]
    if device is None:
        return Annotation("path", path=path, deleted=deleted)
    return Annotation("device", path=path, device=device, peer=match["terminal"] or "", deleted=deleted)


def _numbered(match: re.Match[str]) -> Annotation:
    protocol, inner = match["protocol"], match["inner"]
    found = _INODES.fullmatch(inner)
    if found is None:
        local, _, peer = inner.partition("->")
        return Annotation("socket", protocol=protocol, local=local, peer=peer)
    inode = integer(found["inode"])
    if protocol == "pipe":
        return Annotation("pipe", inode=inode)
    if protocol in _NAMESPACES:
        return Annotation("namespace", protocol=protocol, inode=inode)
    if protocol.islower() and protocol not in _UNNAMED:  # `pidfd:[7]` since Linux 6.9, perhaps with more fields
        return Annotation(protocol, inode=inode)
    path = "" if found["path"] is None else found["at"] + _unescaped(found["path"])
    named = "" if protocol in _UNNAMED else protocol
    return Annotation("socket", protocol=named, path=path, peer=found["peer"] or "", inode=inode)


def _usual(match: re.Match[str]) -> str:
    """Return one byte as strace writes it without `-xx`."""
    byte = checked_integer(match[1], 16)
    char = chr(byte)
    return char if " " <= char <= "~" and char not in '"<>\\' else f"\\{byte:03o}"


def _unescaped(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted
    data = _ESCAPE.sub(_escape, quoted).encode("latin-1", "replace")
    return data.decode("utf-8", "backslashreplace")


def _escape(match: re.Match[str]) -> str:
    code = match.group()[1:]
    if code[0] == "x" and len(code) > 1:
        return chr(checked_integer(code[1:], 16))
    if code[0] in "01234567":
        return chr(checked_integer(code, 8))
    return chr(_NAMED_ESCAPES[code]) if code in _NAMED_ESCAPES else code
