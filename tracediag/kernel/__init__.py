"""The reconstructed kernel: what the trace has shown of processes, descriptors, sockets, epoll sets and signals."""

from tracediag.kernel.action import Action, FlagChange
from tracediag.kernel.applying import apply, begun_calls, known_calls, thread_of
from tracediag.kernel.kernel import Kernel

from tracediag.kernel import calls  # isort: skip  # the handlers register themselves

__all__ = ["Action", "FlagChange", "Kernel", "apply", "begun_calls", "calls", "known_calls", "thread_of"]
