"""The registry of handlers: functions that apply a call to the state; the modules of `calls/` fill it."""

from __future__ import annotations

from collections.abc import Callable

from tracediag.kernel.action import Action
from tracediag.trace.events import Begun, Syscall

Handler = Callable[[Action, Syscall], None]
"""Applies one complete call to the state."""

BeginHandler = Callable[[Action, Begun], None]
"""Applies the first half of a call that takes effect before it returns."""

HANDLERS: dict[str, Handler] = {}
BEGINNERS: dict[str, BeginHandler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a function as the handler of these calls."""

    def mark(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return mark


def begins(*names: str) -> Callable[[BeginHandler], BeginHandler]:
    """Register a function as the handler of the first half of these calls."""

    def mark(handler: BeginHandler) -> BeginHandler:
        BEGINNERS.update(dict.fromkeys(names, handler))
        return handler

    return mark
