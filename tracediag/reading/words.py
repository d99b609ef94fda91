"""What a shell, the loader or the program prints between the records, in a paste of a terminal.

Only a complete line of a known form counts: `Killed`, `./run.sh: line 3: 1234 Aborted (core dumped) ./x`,
`cat: /etc/shadow: Permission denied`. Prose that contains such words does not.
"""

from __future__ import annotations

import re

from tracediag.trace.errnos import all_errors
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Remark

_DEATHS = {
    "killed": "SIGKILL",
    "segmentation fault": "SIGSEGV",
    "aborted": "SIGABRT",
    "bus error": "SIGBUS",
    "floating point exception": "SIGFPE",
    "illegal instruction": "SIGILL",
    "illegal hardware instruction": "SIGILL",
    "trace/breakpoint trap": "SIGTRAP",
}
"""The words of bash, dash and zsh for the signals that end a program without its consent: strsignal(3)."""

_DEATH = lazy_pattern(
    r"(?:(?P<script>[^\s:]{1,200}+:(?: line \d{1,9}+:)? +\d{1,10}+ )|(?P<job>\[\d{1,9}+\][+-]? +)|(?P<zsh>zsh: ))?"
    r"(?P<words>[A-Za-z/]++(?> [a-z]++){0,2}+) *(?P<core>\(core dumped\))?(?P<command> +\S.*)?",
)
"""bash names itself or the script, with the pid, or the job, and zsh itself: then the command follows."""

_MESSAGE = lazy_pattern(r"[\w./+-]{1,80}+: (?=\S).{1,400}")
"""`program: object: error`, the form of error(3), perror(3) and the shells."""

_ERRORS = frozenset(error.text for error in all_errors())
_LONGEST = 500
"""Characters of a line that may be such a message."""


def read_words(line: str) -> Remark | None:
    """Parse one line of a shell or program; None for anything else."""
    text = line.strip()
    if len(text) > _LONGEST:
        return None
    found = _DEATH.fullmatch(text)
    if found is not None and (signal := _death(found)) is not None:
        return Remark(line=0, text=text, signal=signal, core_dumped=found["core"] is not None)
    if _MESSAGE.fullmatch(text) is not None and text.rpartition(": ")[2] in _ERRORS:
        return Remark(line=0, text=text)
    return None


def _death(found: re.Match[str]) -> str | None:
    """Return the signal that a shell names; None if the words are no such report."""
    words, by_zsh = found["words"], found["zsh"] is not None
    attributed = by_zsh or bool(found["script"] or found["job"])
    if found["command"] and not attributed:
        return None
    # zsh writes its words in lower case, the other shells begin with a capital.
    return _DEATHS.get(words.lower()) if words[:1].islower() == by_zsh else None
