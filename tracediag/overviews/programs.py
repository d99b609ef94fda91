"""The program of a process: the command line of its execve, or what /proc showed of it."""

from __future__ import annotations

from tracediag.kernel import Kernel
from tracediag.results.tree import Program
from tracediag.trace.calls import EXECS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Array, Text, Value, bare, text_of


def arguments_of(kernel: Kernel, pid: int | None) -> tuple[str, ...]:
    """Return the command line of a process that ran before the trace, as a snapshot of /proc shows it; else ()."""
    known = None if kernel.known is None else kernel.known.before
    state = None if known is None else known.process(pid)
    return () if state is None else state.arguments


def _is_cut_from(name: Text, path: Text) -> bool:
    """Whether an argument that strace cut may be the path of the program, as it is where a shell starts it."""
    return name.shortened and not path.shortened and path.data.startswith(name.data)


def program_of(call: Syscall) -> Program | None:
    """Return the program that a successful execve starts; None for any other call."""
    if call.name not in EXECS or call.result != 0:
        return None
    path, arguments = text_of(call.arg("pathname")), bare(call.arg("argv"))
    items: tuple[Value, ...] = arguments.items if isinstance(arguments, Array) else ()
    texts = [text for item in items if (text := text_of(item)) is not None]
    if not texts and path is not None:
        texts = [path]
    elif path is not None and _is_cut_from(texts[0], path):
        texts[0] = path  # strace cuts arguments (`-s`), and never a path
    complete = isinstance(arguments, Array) and arguments.complete and len(texts) == len(items)
    return Program(
        command=tuple(map(str, texts)),
        shortened=not complete or any(text.shortened for text in texts),
        line=call.end_line,
        time=call.time if call.end_time is None else call.end_time,
    )
