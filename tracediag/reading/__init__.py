"""Source -> lines -> frames -> events: reads all that strace prints, and accounts for lines it does not understand.

sources    where the lines come from: a path, standard input; rawstream: its bytes, waited for
compressed gz, xz, bz2, zst, read up to any damage; lines: bytes cut into complete lines
sets       the many files of `strace -ff`, merged
following  a file that is still being written
margins    what loggers, pages and people put around the lines, undone before anything is read
dialect    what form this recording has, from its first lines
scanner    the loop: one regular expression takes most lines (`header`)
slowpath   all other lines
sieve      the same for searches, which need few of the calls; stepping: what it steps over
counter    the same for summaries, which need no events
prefix, frame, result, records      one line, taken apart
said, speech                        the data of a write that stands in the trace itself
damage, output, splits, rests       damage from editing, from program output and from terminals
accounting every line is booked
"""

from tracediag.reading.accounting import Counts
from tracediag.reading.dialect import Dialect
from tracediag.reading.following import Followed
from tracediag.reading.reader import AnySource, Overhear, Reader, overhear_all, read
from tracediag.reading.sets import ProcessSet, grouped
from tracediag.reading.slowpath import NotUnderstoodError
from tracediag.reading.sources import Source, UnreadableError, open_source

__all__ = [
    "AnySource",
    "Counts",
    "Dialect",
    "Followed",
    "NotUnderstoodError",
    "Overhear",
    "ProcessSet",
    "Reader",
    "Source",
    "UnreadableError",
    "grouped",
    "open_source",
    "overhear_all",
    "read",
]
