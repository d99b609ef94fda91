"""What a program is handed at its execve: descriptors that are not close-on-exec, and the environment."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import line_of, what_of
from tracediag.results.tree import Environment, Kept
from tracediag.trace.events import Syscall
from tracediag.trace.values import Array, Text, bare, text_of

_MOST = 64
"""Descriptors of one program that are kept: a server may leak a thousand into each child."""
_STANDARD = 2


class Handed(msgspec.Struct, eq=False):
    """What the present program of a process was handed; a child begins with the same."""

    files: frozenset[OpenFile] = frozenset()
    variables: dict[str, Text] | None = None
    """The environment; None if the trace does not show it."""
    complete: bool = True
    """Whether it shows all of that."""


def kept_open(process: Process, before: Handed) -> tuple[frozenset[OpenFile], tuple[Kept, ...], int]:
    """Return what stays open in a program just executed: descriptions, the first descriptors, how many more."""
    found = sorted(_kept(process), key=_number)
    values = tuple(
        Kept(
            number=number,
            kind=str(file.kind),
            what=what_of(file, process),
            line=None if file.opened is None else line_of(file.opened),
            passed_on=file in before.files,
        )
        for number, file in found[:_MOST]
    )
    return frozenset(file for _, file in found), values, max(0, len(found) - _MOST)


def _kept(process: Process) -> Iterator[tuple[int, OpenFile]]:
    """Yield the descriptors that are known not to be close-on-exec; those inherited by fork are not made for that."""
    table = process.table
    for number, descriptor in table.open.items():
        if descriptor.cloexec is False and _matters(number, descriptor.file):
            yield number, descriptor.file
    for number, (file, cloexec, _) in table.inherited.items():
        if cloexec is False and _matters(number, file):
            yield number, file


def _matters(number: int, file: OpenFile) -> bool:
    return number > _STANDARD or file.kind is Kind.SOCKET


def _number(kept: tuple[int, OpenFile]) -> int:
    return kept[0]


def variables_of(call: Syscall) -> tuple[dict[str, Text] | None, bool]:
    """Return the environment that an execve passes, and whether it is complete; None unless `-v` shows it."""
    passed = bare(call.arg("envp"))
    if not isinstance(passed, Array):
        return None, False
    found, complete = {}, passed.complete
    for item in passed.items:
        text = text_of(item)
        name, equals, value = (b"", b"", b"") if text is None else text.data.partition(b"=")
        if text is None or not equals:
            complete = False
            continue
        found[name.decode("utf-8", "backslashreplace")] = Text(value, text.shortened)
    return found, complete


def change(before: Handed, after: Handed) -> Environment | None:
    """Return how two environments differ; None if the trace does not show both."""
    old, new = before.variables, after.variables
    if old is None or new is None:
        return None
    complete = before.complete and after.complete
    differing = {name: value for name, value in new.items() if old.get(name) != value}
    return Environment(
        added={name: f"{value}{'…' if value.shortened else ''}" for name, value in differing.items()},
        removed=tuple(name for name in old if name not in new) if after.complete else (),
        shortened=not complete or any(value.shortened for each in (old, new) for value in each.values()),
    )
