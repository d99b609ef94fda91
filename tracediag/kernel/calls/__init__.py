"""The handlers: one module a family of calls; each marks its functions with the calls that they apply."""

from tracediag.kernel.calls import (
    children,
    closing,
    control,
    lifecycle,
    limits,
    memory,
    opening,
    passing,
    signalling,
    sockets,
    standing,
    transfer,
    waiting,
)

__all__ = [
    "children",
    "closing",
    "control",
    "lifecycle",
    "limits",
    "memory",
    "opening",
    "passing",
    "signalling",
    "sockets",
    "standing",
    "transfer",
    "waiting",
]
