r"""Names the tool whose output a text looks like, where that is not strace.

Some of these outputs look enough like strace's to be read in part, which misleads more than an error does: results
in another place, library calls among the system calls, errors by the numbers of another kernel.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice

import msgspec

from tracediag.trace.calls import SYSCALLS
from tracediag.trace.patterns import lazy_pattern

_ENOUGH = 200
"""Lines that are compared with what each tool prints."""
_LONGEST = 2000
"""Characters of a line that are looked at."""
_FEW = 2
"""So few calls that are no system calls may be anything."""


class _Tool(msgspec.Struct, frozen=True, dict=True):
    name: str
    pattern: str
    """What its lines look like."""
    telltale: bool = False
    """Whether one such line is enough: strace prints none of this form."""

    @cached_property
    def line(self) -> re.Pattern[str]:
        """The pattern, compiled when first asked for: that of all tracers together tells most traces from theirs."""
        return re.compile(self.pattern)


_TRACERS = (
    _Tool("perf trace", r" *+(?>\?|[0-9]++\.[0-9]{3}) \((?> *+[0-9]++\.[0-9]++ ms| ++)?\): "),
    _Tool(
        "ktrace (kdump)", r" *+[0-9]++ (?> *+[0-9]++)?+ *+\S++ ++(?>CALL|RET|NAMI|GIO|PSIG|CSW|STRU|SCTL|USER|ARGS) "
    ),
    _Tool("truss of FreeBSD", r".*\) *ERR#[0-9]+ '", telltale=True),
    _Tool("truss of FreeBSD", r" *+(?>[0-9]++: )?+\w++\(.*\) *= -?[0-9]+ \(0x[0-9a-f]+\)$"),
    _Tool("dtruss", r"SYSCALL\(args\)|.*\)[ \t]+= -?(?:0x)?[0-9A-F]+ 0$", telltale=True),
    _Tool("dtruss", r".*\)[ \t]+= -1 Err#[0-9]+$"),
    _Tool("truss of Solaris", r".*[)\t ]Err#[0-9]+ E[A-Z]", telltale=True),
    _Tool("truss of Solaris", r"(?>[0-9]++)?+/[0-9]++:[ \t]"),
    _Tool(
        "ltrace",
        r"(?>\[pid [0-9]++\] |[0-9]++ )?+(?>[0-9:.]++ )?+"
        r"(?>SYS_[a-z]\w*+\(|\w++@SYS\(|[\w.+-]++->\w++\(|<\.\.\. \w++ resumed> \w*+\)|.*<no return \.\.\.>$|.*= <void>"
        r"|\+\+\+ exited \(status [0-9]++\)"
        r"|(?>_*+libc_start_main|v?[fs]?n?printf|puts|fputs|v?asprintf|malloc|calloc|realloc|free|str[a-z]{2,7}|mem[a-z]{3,4}"
        r"|f(?>open|close|gets|read|write|flush|seek)|getenv|setlocale|isatty|_exit"
        r"|is[a-z]{4,6}|to(?>upper|lower)|atoi)\(.*(?:= |<unfinished ))",
    ),
    _Tool("strace of gVisor (runsc)", r".*(?>strace\.go:[0-9]++\]|\] \[ *+[0-9]++: *+[0-9]++\] \S++ [EX] \w++\()"),
    _Tool("valgrind", r"(?>==|--)[0-9]++(?>==|--)(?> |$)|SYSCALL\[[0-9]++,[0-9]++\]\("),
    _Tool("bpftrace", r"(?>Attaching [0-9]++ probes?\.|@\w*+(?>\[|: ))"),
    _Tool("ftrace", r" *+\S+-[0-9]++ ++(?>\( *+\S++\) ++)?+\[[0-9]{3}\] \S{4,6} ++[0-9.]++: |# *+tracer: "),
    _Tool("perf script", r" *+\S.{0,30}? [0-9]++ ++\[[0-9]{3}\] ++[0-9.]++: "),
    _Tool("sysdig", r"[0-9]++ [0-9:.]{8,18} [0-9]++ \S++ \([0-9.]++\) [<>] \w"),
    _Tool("auditd", r"(?>.{0,80}? )??type=[A-Z_0-9]++ msg=audit\(|(?>type=)?+SYSCALL (?>msg=\S++ )?+arch="),
    _Tool("tcpdump", r"[0-9:.]{8,15} (?>IP6?|ARP)\b"),
    _Tool("gdb", r"(?>#[0-9]++ ++(?>0x[0-9a-f]++ in |\w++ \()|\(gdb\) |Thread [0-9]++ \(|\[New Thread )"),
)
"""Whose output is refused, even where some of its lines can be read."""
_ANY_TRACER = lazy_pattern("|".join(f"(?:{tool.pattern})" for tool in _TRACERS))
_TEXTS = (
    _Tool("a kernel log (dmesg)", r"(?><[0-9]++>)?+\[ *+[0-9]++\.[0-9]{6}\] "),
    _Tool(
        "a list of processes (ps)",
        r"\S++ ++[0-9]++ ++[0-9.]++ ++[0-9.]++ ++[0-9]++ |\s*+(?>[0-9]++ ++){1,4}\S++ ++(?>[0-9]++-)?[0-9:]{5,9} ",
    ),
    _Tool("the mappings of a process (/proc/PID/maps)", r"[0-9a-f]{8,16}+-[0-9a-f]{8,16}+ [r-][w-][x-][ps] "),
    _Tool(
        "a Python traceback",
        r"Traceback \(most recent|  File \".*\", line [0-9]|    \S|\w*+(?>Error|Exception|Interrupt)\b",
    ),
    _Tool("base64 text", r"[A-Za-z0-9+/]{40,}+={0,2}+\Z"),
    _Tool("URL-encoded text", r"(?=[^%\s]*+%[0-9A-F]{2})(?>[^%\s]++|%[0-9A-F]{2})++\Z(?<=.{80})"),
    _Tool("TOML", r"\s*+(?>\[\[?[\w.\"-]++\]\]?|[\w.\"-]++ = (?>[\[{\"'0-9]|true|false)|\"[^\"]*+\",?\Z|\]\Z)"),
    _Tool("JSON", r"\s*+(?>[\]\[{}],?$|\"[^\"]*+\"[,:]|[{\[].*[}\]],?$)"),
    _Tool("a web page", r"\s*+</?[a-zA-Z!]"),
    _Tool("a source file in C", r"\s*+(?>#\s*+(?>include|define|if|endif)\b|(?>[/ ]\*|//)|.*[;{}]\s*+$)"),
    _Tool(
        "a source file in Python",
        r"\s*+(?>def |import |from \S++ import|class |if |for |return\b|self\.|\w++ = |print\()",
    ),
)
"""What a text looks like in which no line is strace's."""
_STRACE = lazy_pattern(
    r"\+\+\+ (?:exited with|killed by)|--- SIG\w+ \{|<\.\.\. \w+ resumed>|= -1 E[A-Z0-9]+ \(|, <unfinished \.\.\.>$"
)
"""What only strace prints, or a program compatible with it."""
_QEMU_THREAD = lazy_pattern(r"[0-9]++ clone\([A-Z_|]*CLONE_THREAD[A-Z_|0-9x]*,child_stack=0x")
_NAMED = lazy_pattern(r"(?<![\w.>])([a-z_]\w*+)\(")
_RESULT = lazy_pattern(r"\)[ \t]{0,60}(?:=|→|-> ?-?[0-9]|: -?[0-9])|<unfinished |resumed>")
_CALL_RESULT = lazy_pattern(r"\)[ \t]{0,60}= (?:-?[0-9]|\?)")
_LIBRARY_CALL = lazy_pattern(r"(?>\[pid [0-9]++\] |[0-9]++ )?+([A-Za-z_]\w*+)\(.*(?:\)[ \t]*= |<unfinished)")


def tracer_of(sample: Iterable[str]) -> str | None:
    """Return the tracer that most lines are the output of, if it is not strace."""
    lines = _stripped(sample)
    theirs = [line for line in lines if _ANY_TRACER.match(line) is not None]
    if len(theirs) * 2 > len(lines) and (found := _most(lines, _TRACERS)) is not None:
        return found
    if any(_QEMU_THREAD.match(line) for line in lines):
        return "qemu-user -strace of a program with threads, whose lines run into each other"
    if sum(map(_is_library_call, lines)) > max(_FEW, len(lines) // 2):
        return "ltrace"
    for tool in _TRACERS:
        if tool.telltale and any(tool.line.match(line) for line in theirs):
            strict = sum(_STRACE.search(line) is not None for line in lines)
            return tool.name if not strict else None
    return None


def kind_of(sample: Iterable[str]) -> str | None:
    """Return what a text looks like that is not strace's."""
    lines = list(sample)
    if len(lines) > 1 and not any(line and not line.isspace() for line in lines):
        return "blank lines"
    return tracer_of(lines) or _most(_stripped(lines), _TEXTS)


def looks_like_call(text: str) -> bool:
    """Return whether a line shows a system call with its result, or half of one."""
    text = text[:_LONGEST]
    return _RESULT.search(text) is not None and (
        "resumed>" in text or any(found[1] in SYSCALLS for found in _NAMED.finditer(text))
    )


def calls_in(text: str) -> int:
    """Return how many system calls with their results a text shows."""
    results = sum(1 for _ in _CALL_RESULT.finditer(text))
    return min(results, sum(found[1] in SYSCALLS for found in _NAMED.finditer(text))) if results else 0


def _is_library_call(line: str) -> bool:
    found = _LIBRARY_CALL.match(line)
    return found is not None and found[1] not in SYSCALLS and not found[1].startswith(("SYS_", "syscall_"))


def _stripped(sample: Iterable[str]) -> list[str]:
    written = (line[:_LONGEST].rstrip() for line in sample if line and not line.isspace())
    return list(islice(written, _ENOUGH))


def _most(lines: Sequence[str], tools: Sequence[_Tool]) -> str | None:
    """Return the tool of more than half of the lines."""
    counts: Counter[str] = Counter()
    for line in lines:  # of tools with the same count, the first is returned
        counts.update(dict.fromkeys((tool.name for tool in tools if tool.line.match(line) is not None), 1))
    (best, count), *_ = counts.most_common(1) or [("", 0)]
    return best if count * 2 > len(lines) else None
