"""The handlers, one module per family of calls; each function is marked with the calls that it applies."""

from tracediag.kernel.calls import (
    children,
    closing,
    control,
    credentials,
    directories,
    futexes,
    lifecycle,
    limits,
    making,
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
    "directories",
    "futexes",
    "lifecycle",
    "limits",
    "making",
    "mapping",
    "opening",
    "passing",
    "signalling",
    "sockets",
    "transfer",
    "waiting",
]
