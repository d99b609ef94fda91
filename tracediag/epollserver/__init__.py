"""The bundled server: a correct HTTP server on epoll, with faults that can be injected one by one.

It gives `tracediag` something real to diagnose: start it under strace with a fault, send it traffic, and the
trace shows that fault. Only the standard library is needed, and nothing else of tracediag; all imports inside
are relative, so that the folder also works as a package of its own (`python3 tracediag/epollserver`).
"""

from .faults import FAULTS, Fault
from .serving import serve

__all__ = ["FAULTS", "Fault", "serve"]
