"""A look at the living host for the failed calls of a report: read-only, and only when asked for.

looking      the one entrance: from a report to what the host shows
calls        the failed calls of the findings, with their paths and addresses
paths        each component of a path: missing, permissions, kind, mount, space
files        what the last component is: a program, a lock file with a pid, a busy file
addresses    which process listens, and whether an address is of this host
directories  the directory that a relative path starts from
processes    whether a process runs that a call names by its number
locks        which process holds a file lock
limits       open files, processes, memory, and the sysctls that a page names
symbols/     the lines of source code of stacks, which --symbols finds
"""

from tracediag.here.looking import look_here

__all__ = ["look_here"]
