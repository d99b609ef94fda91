"""Which findings an entry of `ignores` is about: by rule, program, path and peer, all of which have to fit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase

from tracediag.config.schema import Ignore
from tracediag.results.findings import Finding
from tracediag.trace.patterns import lazy_pattern

_QUOTED = lazy_pattern(r'"((?>[^"\\]|\\.)*+)"|<([^<>]*+)>')
"""A string, or the note on a descriptor."""
_BORDERS = lazy_pattern(r'[\s"<>(){},=]++')
_ADDRESS = lazy_pattern(
    r"(?<![\w.])(?>[0-9]{1,3}\.){3}[0-9]{1,3}(?::([0-9]{1,5}))?|\[[0-9a-fA-F:.]{2,45}+\](?::([0-9]{1,5}))?"
)
_MOST = 4096
"""Characters of a text that are looked at: a call may show a megabyte."""
_MARKS = ":;.'"


def fits(entry: Ignore, finding: Finding, program: str | None) -> bool:
    """Whether an entry is about a finding, its rule apart; `program` is the path of the program that made the call."""
    if entry.program and not _is_program(entry.program, program):
        return False
    if entry.path and not any(fnmatchcase(path, entry.path) for path in paths(finding)):
        return False
    return not entry.peer or any(fnmatchcase(peer, entry.peer) for peer in peers(finding))


def _is_program(pattern: str, program: str | None) -> bool:
    """Whether a pattern fits the path of a program, or its file name."""
    return program is not None and (fnmatchcase(program, pattern) or fnmatchcase(os.path.basename(program), pattern))  # noqa: PTH119


def _texts(finding: Finding) -> list[str]:
    return [text[:_MOST] for text in (finding.object, finding.title, finding.primary.text)]


def paths(finding: Finding) -> Iterator[str]:
    """Yield the words that may be a path: of the object, the title and the call of the finding."""
    for text in _texts(finding):
        for quoted in _QUOTED.finditer(text):
            yield quoted[1] if quoted[1] is not None else quoted[2]
        for word in _BORDERS.split(text):
            yield word.strip(_MARKS)


def peers(finding: Finding) -> Iterator[str]:
    """Yield the addresses of the object, the title and the call, with and without port; and names of Unix sockets."""
    for text in _texts(finding):
        for found in _ADDRESS.finditer(text):
            yield found[0]
            if (port := found[1] or found[2]) is not None:
                yield found[0].removesuffix(f":{port}").strip("[]")
    for word in paths(finding):
        if word.startswith(("/", "@")):
            yield word
