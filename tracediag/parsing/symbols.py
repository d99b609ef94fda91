"""Brings arguments with numbers for constants, `strace -X verbose` and `-X raw`, into the form of `-X abbrev`.

fcntl(3, 0x2 /* F_SETFD */, 0x1 /* FD_CLOEXEC */)    verbose: the remark is the name
fcntl(3, 0x2, 0x1)                                   raw: `constants.txt` knows the names that the model depends on
fcntl(3, F_SETFD, FD_CLOEXEC)                        what all other rooms see
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache

from tracediag.parsing.constants import Constants, Places, table
from tracediag.parsing.tokens import text
from tracediag.trace.flags import CHARACTER, NOTE, REMARK, STRING
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

_NUMBER = r"(?<![\w.])-?(?>0x[0-9a-f]{1,32}+|0[0-7]{0,38}+|[1-9][0-9]{0,38}+)(?![\w.])"
_WORDS = r"[A-Z][A-Z0-9]*_?(?>[\w?]|\||-)*+(?> or [A-Z_0-9]++)*+"
_MACRO = r"(?>htons|htonl|inet_addr|inet_pton|makedev|_IOC)\([^()]*+\)"
_NAMED = lazy_pattern(
    rf"(?>{STRING}|{_NUMBER})\ /\*\ (?P<name>{_WORDS}|{_MACRO})\ \*/|(?>{STRING}|{CHARACTER}|{REMARK}|{NOTE})",
    re.DOTALL,
)
_PIECES = lazy_pattern(
    rf"(?P<text>{STRING})|(?>{CHARACTER}|{REMARK}|{NOTE})|(?P<open>[\[{{(])|(?P<close>[\]}})])|(?P<comma>, )"
    rf"|(?P<key>[a-z_]\w*+=~?+)|(?P<numbers>{_NUMBER}(?>\|{_NUMBER})*+)",
    re.DOTALL,
)
_DIRECTORIES = re.compile(
    r"\w*at(?:2|64|_at)?|statx|fanotify_mark|open_tree\w*|move_mount|fspick|mount_setattr"
).fullmatch
_FDCWD = frozenset({"-100", "0xffffff9c", "0xffffffffffffff9c"})
_PERMISSIONS = lazy_pattern(r"\|0x([0-9a-f]++)$")
_MOST_KEPT = 4096


def named(body: str) -> str:
    """Return text in which each number that `-X verbose` names is that name."""
    return _NAMED.sub(_name_or_all, body) if "/* " in body else body


def _name_or_all(match: re.Match[str]) -> str:
    name = match["name"]
    return match[0] if name is None or "?" in name else name


class Decoder:
    """Names the numbers of `-X raw`, for one architecture: see `Constants`."""

    def __init__(self, architecture: str = "") -> None:
        self._constants = Constants(architecture)
        self.decoded = lru_cache(maxsize=_MOST_KEPT)(self._decoded)
        """Return the arguments, or the detail, of a call by its name; "" for the siginfo of a signal."""

    def _decoded(self, call: str, body: str) -> str:
        return _Body(self._constants, call).decoded(body)


class _Body:
    """One body, while it is decoded."""

    def __init__(self, constants: Constants, call: str) -> None:
        self._constants = constants
        self._call = call
        self._groups: Places = table().fields | table().calls.get(call, {})
        self._place = self._depth = 0
        self._key = ""
        self._key_end = -1
        self._set_depth = 0
        """The depth of the brackets of a signal set, 0 outside of one."""
        self._fields: dict[str, str] = {}
        """The fields of a siginfo so far: si_code depends on si_signo, si_status on si_code."""

    def decoded(self, body: str) -> str:
        """Return the text with names."""
        return _PIECES.sub(self._piece, body)

    def _piece(self, match: re.Match[str]) -> str:
        match match.lastgroup:
            case "open":
                self._depth += 1
                if not self._set_depth and self._group(match.start()) == "SIGSET":
                    self._set_depth = self._depth
            case "close":
                if self._depth == self._set_depth:
                    self._set_depth = 0
                self._depth -= 1
            case "comma" if self._depth == 0:
                self._place += 1
            case "key":
                self._key, self._key_end = match[0].rstrip("=~"), match.end()
            case "text" if self._key_end == match.start():
                return _address(self._key, match[0])
            case "numbers":
                return self._numbers(match[0], match.start())
        return match[0]

    def _group(self, start: int) -> str | None:
        """Return the group of what begins there: by the name before it, or else by the argument's place."""
        if self._key_end == start:
            return self._siginfo(self._key) or self._groups.get(self._key)
        outside = self._depth == 0 or (self._depth == 1 and self._groups.get(self._place) == "SIGSET")
        return self._groups.get(self._place) if outside else None

    def _numbers(self, digits: str, start: int) -> str:
        group = "SIG" if self._set_depth else self._group(start)
        if group is None:
            return "AT_FDCWD" if self._depth == 0 and digits in _FDCWD and _DIRECTORIES(self._call) else digits
        name = "|".join(self._name(group, part) for part in digits.split("|"))
        if self._set_depth:
            return name.removeprefix("SIG")
        self._fields[self._key] = name
        if self._depth == 0:
            self._decide(name)
        return name

    def _name(self, group: str, digits: str) -> str:
        number = checked_integer(digits, 16 if "x" in digits else 8 if digits[0] == "0" else 10)
        name = self._constants.name(group, number)
        if name is None and group.startswith("SI_"):
            name = self._constants.name("SI", number)
        if name is None:
            return digits
        # Permissions are octal digits in every form.
        return _PERMISSIONS.sub(lambda rest: f"|0{checked_integer(rest[1], 16):o}", name) if group == "MODE" else name

    def _decide(self, name: str) -> None:
        for case in table().cases.get(self._call, ()):
            if case.decider == self._place and case.constant == name:
                self._groups[case.place] = case.group

    def _siginfo(self, key: str) -> str | None:
        if key == "si_signo":
            return "SIG"
        if key == "si_code":
            return f"SI_{self._fields.get('si_signo', '')}"
        if key == "si_status" and self._fields.get("si_code", "CLD_EXITED") != "CLD_EXITED":
            return "SIG"
        return None


def _address(field: str, quoted: str) -> str:
    """Return a part of a socket address as strace decodes it by default."""
    data = text(quoted).data
    if field in ("sin_port", "sin6_port") and len(data) == 2:
        return f"htons({int.from_bytes(data, 'big')})"
    if field == "sin_addr" and len(data) == 4:
        return f'inet_addr("{socket.inet_ntop(socket.AF_INET, data)}")'
    if field == "sin6_addr" and len(data) == 16:
        return f'inet_pton(AF_INET6, "{socket.inet_ntop(socket.AF_INET6, data)}")'
    return quoted
