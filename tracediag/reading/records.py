"""Records other than calls: signals, stops, exits, strace messages, and lines without information."""

from __future__ import annotations

import re

from tracediag.reading.count_table import CountTable
from tracediag.trace.numbers import checked_integer, integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Elision, Exit, Notice, Other, Record, Signal, Stop, Superseded

_SIGNAL = lazy_pattern(r"-{1,3} ?(?P<name>(?!stopped)[A-Z]\w*+|\d++)(?: \{(?P<info>.*)\}| \((?P<text>.*)\))?.*$")
_SIGNAL_46 = lazy_pattern(r"--- \{(?P<info>si_signo=(?P<name>\w++).*)\} \(.*\) ---$")
_STOP = lazy_pattern(r"--- stopped by (?P<name>SIG\w++)\b.*$")
_EXIT = lazy_pattern(
    r"\+\+\+ (?:exited with (?P<status>[0-9]{1,10}+)|killed by (?P<signal>\w++))"
    r"(?P<core> \(core dumped\))?(?: \+\+\+.*)?$"
)
_SUPERSEDED = lazy_pattern(r"\+\+\+ superseded by execve in pid (?P<by>[0-9]{1,10}+) \+\+\+")
_PROCESS = lazy_pattern(
    r"(?:strace: )?Process\w* (?P<pid>[0-9]{1,10}+) (?P<what>attach|détach|detach|resumed|suspended)(?P<rest>.*)$"
)
_CREW = lazy_pattern(r"ed with ([0-9]{1,7}+) threads")
_MODE = lazy_pattern(r"(?:strace: )?\[ ?Process PID=(?P<pid>[0-9]{1,10}+) runs in .*\]$")
_MESSAGE = lazy_pattern(
    r"(?:/?[\w/.\-]*/)?strace(?:-[\w.]+)?: |Try 'strace -h' for|attach: ptrace\(|trouble opening proc file"
    r"|PANIC: handle_group|Unknown syscall \d+$"
)
_FRAME = lazy_pattern(
    r" > (?:.*\[0x[0-9a-f]++\](?: .*)?|too many stack frames|no matching address range|unexpected_backtracing_error.*"
    r"|No DWARF information found"
    r"|[^\s(]++\(.*\))\s*$"
    r"|> ?[/\[][^\n]*\) \[0x[0-9a-f]++\](?: .*)?$"
)
_DUMP = lazy_pattern(
    r" \| (?:[0-9a-f]{5,16}  |<Cannot fetch ).*| \* \d+ bytes in buffer \d+\s*$| = \d+ buffers in vector \d+\s*$"
)
_ELISION = lazy_pattern(
    r"[\W_]{0,6}(?:\.{2,}|…+|\[(?:\.{2,}|…|snip\w*|cut)\]|<snip\w*>|-*\bsnip\w*\b-*|\(\.{3,}\))[\W_]{0,8}(?:#.*)?$"
    r"|\[?\.\.\.[^()=]{1,60}(?:\.\.\.|\])\W*$|\.\.\.+ *(?:#|//|<-).*$"
    r"|(?=.{2,80}$)[^\w\"=]{0,8}(?>[\w'-]{1,16}+[ ,]{1,2}+){0,8}?"
    r"(?:(?:repeat(?:s|ed|ing)?|etc|forever|infinitum)\b|and so (?:on|forth)\b)[^\"=(]*$",
    re.IGNORECASE,
)
_PROMPT = lazy_pattern(
    r"[^\"=]{0,100}?[$#%>➜~]\s*\(?(?:sudo |time |nohup )*strace(?:64)?(?: .*)?"
    r"|(?:sudo |time |nohup )*strace (?:-.*|[\w./]+)"
)
_REMARK = lazy_pattern(r"\s*(?:#|//|/\*|\*|;|--? |<-+|←|\^+ ?|=+>|-+>).*")
_INSIDE = lazy_pattern(r"\S* ?(?:\S*/)?strace: (?:\[wait\(|next_event|Process \d)")


def read_record(text: str) -> Record | None:
    """Parse a record that is not a call, its prefix removed; None if it matches no form."""
    start = text[:3]
    if start == "---" or (start[:2] == "- " and text.startswith("- SIG")):
        return _signal(text)
    if start == "+++":
        return _end(text)
    if (match := _PROCESS.match(text)) is not None:
        return _process(match, text)
    if (match := _MODE.match(text)) is not None:
        return Notice(line=0, text=text, kind="message", subject=checked_integer(match["pid"]))
    if _MESSAGE.match(text) is not None:
        return Notice(line=0, text=text, kind="message")
    return None


def _signal(text: str) -> Record | None:
    if (match := _STOP.match(text)) is not None:
        return Stop(line=0, text=text, signal=match["name"])
    if (match := _SIGNAL_46.match(text)) is not None:
        return Signal(line=0, text=text, name=match["name"], info=match["info"])
    if (match := _SIGNAL.match(text)) is not None:
        return Signal(line=0, text=text, name=match["name"], info=match["info"] or "")
    return None


def _end(text: str) -> Record | None:
    if (match := _EXIT.match(text)) is not None:
        status, core = match["status"], match["core"] is not None
        return Exit(line=0, text=text, status=integer(status), signal=match["signal"], core_dumped=core)
    if (match := _SUPERSEDED.match(text)) is not None:
        return Superseded(line=0, text=text, by=checked_integer(match["by"]))
    return None


def _process(match: re.Match[str], text: str) -> Notice:
    what = match["what"]
    kind = "attached" if what == "attach" else "detached" if what.endswith("tach") else "message"
    crew = _CREW.match(match["rest"])
    threads = 1 if crew is None else checked_integer(crew[1])
    return Notice(line=0, text=text, kind=kind, subject=checked_integer(match["pid"]), threads=threads)


class Boilerplate:
    """Recognises lines that belong to a trace but describe no process; tables and tips span several lines."""

    def __init__(self) -> None:
        self._table = CountTable()
        self._tip_lines = 0

    def read(self, line: str) -> Record | None:
        """Parse one complete line; None if it is none of these."""
        if not line or line.isspace():
            return Other(line=0, text=line, kind="blank")
        if line.startswith((" ", ">")) and (kind := self._indented(line)):
            return Other(line=0, text=line, kind=kind)
        counted = self._table.read(line)
        if counted:
            return Other(line=0, text=line, kind="summary") if counted is True else counted
        if self._is_tip(line):
            return Other(line=0, text=line, kind="tip")
        return None

    def _indented(self, line: str) -> str:
        if _FRAME.match(line) is not None:
            return "frame"
        return "dump" if _DUMP.match(line) is not None else ""

    def _is_tip(self, line: str) -> bool:
        if line.startswith("  ____________________"):
            self._tip_lines = 40
            return True
        if self._tip_lines and line[:1] in " \\/":
            self._tip_lines -= 1
            return True
        self._tip_lines = 0
        return False


def is_prompt(text: str) -> bool:
    """Return whether a line is the command that started strace, with or without the prompt of a shell."""
    return _PROMPT.fullmatch(text) is not None


def read_remnant(line: str) -> Record | None:
    """Parse text that people write between records: an elision, a prompt, a remark; None for anything else."""
    text = line.strip()
    if len(text) > 400:
        return None
    if _INSIDE.match(text) is not None:
        return Notice(line=0, text=text, kind="message")
    if _ELISION.match(text) is not None:
        return Elision(line=0, text=text)
    if is_prompt(text):
        return Other(line=0, text=text, kind="prompt")
    if _REMARK.fullmatch(text) is not None:
        return Other(line=0, text=text, kind="remark")
    return None
