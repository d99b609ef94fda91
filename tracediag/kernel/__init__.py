"""The reconstructed kernel: what the trace has shown of processes, descriptors, sockets, epoll sets and signals."""

from tracediag.kernel.action import Action, FlagChange
from tracediag.kernel.kernel import Kernel

from tracediag.kernel import calls  # isort: skip  # the handlers register themselves with the kernel

__all__ = ["Action", "FlagChange", "Kernel", "calls"]
