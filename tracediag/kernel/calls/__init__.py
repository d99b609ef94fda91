"""The handlers: one module a family of calls; each marks its functions with the calls that they apply."""

from tracediag.kernel.calls import closing, control, lifecycle, opening, signalling, sockets, transfer, waiting

__all__ = ["closing", "control", "lifecycle", "opening", "signalling", "sockets", "transfer", "waiting"]
