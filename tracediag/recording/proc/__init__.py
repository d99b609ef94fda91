"""Reads from /proc what processes are at one moment: proc(5). It only reads, and skips what it may not read.

look           the entrance: processes, their descendants, and the processes that they wait for
processes      one process with its threads
descriptors    its descriptors and their fdinfo
calls          the call in which a thread stands
futexes        the thread that holds the lock another one waits for
mappings       the mapping of an address, and the processes that share it
sockets        /proc/PID/net
locks          /proc/locks
mounts         /proc/PID/mountinfo
holders        the processes at the other ends of pipes and sockets
texts          reading small files
"""

from tracediag.recording.proc.look import look
from tracediag.recording.proc.mounts import reduce_mounts

__all__ = ["look", "reduce_mounts"]
