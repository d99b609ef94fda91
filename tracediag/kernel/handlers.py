"""The functions that apply calls to the state, by the names of the calls; the modules of `calls/` fill the register."""

from __future__ import annotations

from collections.abc import Callable

from tracediag.kernel.action import Action
from tracediag.trace.events import Begun, Syscall

Handler = Callable[[Action, Syscall], None]
"""Applies one whole call to the state."""

BeginHandler = Callable[[Action, Begun], None]
"""Applies the first half of a call, where the kernel acts before the call returns."""

HANDLERS: dict[str, Handler] = {}
BEGINNERS: dict[str, BeginHandler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Mark a function as the one that applies these calls."""

    def mark(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return mark


def begins(*names: str) -> Callable[[BeginHandler], BeginHandler]:
    """Mark a function as the one that applies the first half of these calls."""

    def mark(handler: BeginHandler) -> BeginHandler:
        BEGINNERS.update(dict.fromkeys(names, handler))
        return handler

    return mark
