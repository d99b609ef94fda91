"""What a recording is, for its readers: attached, filtered, with children not followed; `scope` answers the rules."""

from __future__ import annotations

from tracediag.evidence.filters import hidden_families
from tracediag.evidence.scope import Fact, Scope
from tracediag.kernel import Kernel
from tracediag.kernel.process import Process

_ENOUGH = 100
"""Lines of an excerpt from which on a family of calls that never shows was filtered out, and not cut off."""


def hidden(scope: Scope, kernel: Kernel) -> tuple[str, ...]:
    """Return the families of `strace -e trace=%family` of which the recording shows no call because of a filter."""
    if scope.shows(Fact.EVERY_CALL) or scope.failures_only or 0 < scope.excerpt < _ENOUGH:
        return ()
    return hidden_families(kernel.names)


def attached_threads(scope: Scope, kernel: Kernel) -> int | None:
    """Return with how many threads strace was attached to running processes; 0 if it started the program.

    None where the recording does not tell: with `-o` strace says so elsewhere.
    """
    if scope.starts:
        return 0
    return kernel.process_table.strangers.attached or None


def children_followed(kernel: Kernel) -> bool | None:
    """Whether strace follows children and threads (`-f`); None where the recording shows none being created."""
    shown = [_shown(process) for process in kernel.processes if process.started is not None]
    for process in kernel.processes:
        if process.execs or process.started is not None:
            shown += [thread.last_call is not None for thread in process.threads if thread.tid != process.pid]
    return any(shown) if shown else None


def _shown(process: Process) -> bool:
    """Whether the recording holds a line of a process."""
    return process.exit is not None or any(thread.last_call is not None for thread in process.threads)


def is_whole(scope: Scope, kernel: Kernel) -> bool:
    """Whether it shows a program from its start to its end, with all calls."""
    limited = scope.is_excerpt or scope.failures_only or scope.hides_failures or hidden(scope, kernel)
    return scope.starts and not limited and kernel.process_table.all_gone
