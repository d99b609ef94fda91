"""Runs strace: the one room that starts it, and knows nothing of how a trace is read.

strace        which strace there is, and what it can do
recording     a command under strace, from its start to its end
attaching     processes that run already: strace is attached to them, and leaves them running
permission    whether strace may attach to a process, and what to do if not
naming        the processes that have a name
proc/         what /proc shows of the processes: the snapshot beside the trace
ending        how the command ended
relay         the process between strace and the file of the trace
writing       how that process and the file are made
following     the file of the trace, read while it grows
tracees       the processes that an strace traces, and how to end them
interruption  signals to this process while a command is traced
errors        what is raised
"""

from tracediag.recording.attaching import Attached
from tracediag.recording.ending import Ending
from tracediag.recording.errors import RecordingError
from tracediag.recording.interruption import Interruption
from tracediag.recording.naming import pids_of
from tracediag.recording.recording import Recording
from tracediag.recording.strace import OPTIONS, Strace, find_strace

__all__ = [
    "OPTIONS",
    "Attached",
    "Ending",
    "Interruption",
    "Recording",
    "RecordingError",
    "Strace",
    "find_strace",
    "pids_of",
]
