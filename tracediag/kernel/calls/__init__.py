"""The handlers: one module a family of calls; each marks its functions with the calls that they apply."""

from tracediag.kernel.calls import (
    children,
    closing,
    control,
    credentials,
    lifecycle,
    limits,
    mapping,
    opening,
    passing,
    signalling,
    sockets,
    transfer,
    waiting,
)

__all__ = [
    "children",
    "closing",
    "control",
    "credentials",
    "lifecycle",
    "limits",
    "mapping",
    "opening",
    "passing",
    "signalling",
    "sockets",
    "transfer",
    "waiting",
]
