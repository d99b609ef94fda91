"""Recognises recordings with numbers for constants (`strace -X raw`, `-X verbose`), and names them in each event."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from tracediag.trace.events import Call, Event, Syscall
from tracediag.trace.flags import STRING
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Signal

Naming = Callable[[str, str], str]
"""Returns a text of a call, by the call's name, with names for the numbers."""

_VERBOSE = lazy_pattern(r"(?<![\w.])-?(?:0x)?[0-9a-f]++ /\* [A-Z][A-Z0-9]*+_[A-Z0-9_|?]++ \*/")
_NUMBER = r"(?:0x)?[0-9a-f]++(?=[,)}|<]|\ <unf)"
_FD = r"-?[0-9]++(?:<[^,]*+)?,\ "
_RAW = lazy_pattern(
    rf"""\b(?:
      openat\(-100(?=[,<]) | (?:open\(|access\(|chmod\(|creat\()"",\ 0x
    | mmap2?\((?:NULL|0x[0-9a-f]++),\ [0-9]++,\ {_NUMBER} | (?:fcntl(?:64)?|epoll_ctl)\({_FD}{_NUMBER}
    | socket\({_NUMBER} | rt_sigaction\([0-9]++,\ | rt_sigprocmask\({_NUMBER} | epoll_create1\(0x
    | clone3?\((?:\{{|child_stack=\w++,\ )flags={_NUMBER} | futex\(0x[0-9a-f]++,\ {_NUMBER}
    | (?:sa_family|events)={_NUMBER} | (?:get|set)sockopt\({_FD}{_NUMBER} )
    | ^---\ SIG\w++\ \{{si_signo=[0-9]""",
    re.VERBOSE,
)
_NAMED = lazy_pattern(
    r"\b(?:AT_FDCWD|[OSF]_[A-Z]{4}|PROT_|MAP_|SIG_[BSDI]|AF_|SOCK_|CLONE_|E?POLL[A-Z]|FUTEX_|SOL_|si_signo=SIG)"
)
_UNTOLD = lazy_pattern(rf"{STRING}|\(flags [^()]*+\)")
"""Text in which names prove nothing: strings, and the answer to F_GETFL, which strace names in each form."""
_ARCHITECTURES = (
    ("mips", r"\bmips|ld\.so\.1\b.*mips"),
    ("alpha", r"\balpha-linux|machine=\"alpha"),
    ("sparc", r"\bsparc"),
    ("parisc", r"\bhppa-linux|machine=\"parisc"),
    ("arm", r"\b(?:aarch64|arm(?:-|v[5-8]|hf|el)|powerpc|ppc64|m68k)"),
)
"""The architectures whose numbers differ, by what paths of libraries and uname(2) show of them."""


def decide_naming(sample: Iterable[str]) -> Naming | None:
    """Return how to name the constants of a recording, by its first lines; None if strace has named them."""
    recorded = [line[:4096] for line in sample]
    lines = [_UNTOLD.sub('""', line) for line in recorded]
    if any("/* " in line and _VERBOSE.search(line) is not None for line in lines):
        return _verbose()
    raw = any(_RAW.search(line) is not None for line in lines)
    if not raw or any(_NAMED.search(line) is not None for line in lines):
        return None
    from tracediag.parsing.symbols import Decoder  # noqa: PLC0415  # such recordings are rare

    return Decoder(_architecture("\n".join(recorded))).decoded


def is_raw(naming: Naming | None) -> bool:
    """Whether strace printed numbers without names (`-X raw`)."""
    return naming is not None and naming is not _verbose()


@cache
def _verbose() -> Naming:
    from tracediag.parsing.symbols import named  # noqa: PLC0415  # such recordings are rare

    return lambda _call, body: named(body)


def _architecture(text: str) -> str:
    return next((name for name, pattern in _ARCHITECTURES if re.search(pattern, text)), "")


def with_names(events: Iterable[Event], naming: Naming) -> Iterator[Event]:
    """Yield the events, their constants named; what `text` shows remains as recorded."""
    for event in events:
        if isinstance(event, Call):
            body = naming(event.name, event.body)
            if body != event.body:
                event.recorded, event.body = event.body, body
            if isinstance(event, Syscall) and event.detail and event.errno is None:
                event.detail = naming(event.name, event.detail)
        elif isinstance(event, Signal) and event.info:
            event.info = naming("", event.info)
        yield event
