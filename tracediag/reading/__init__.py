"""Source -> lines -> frames -> events: reads all that strace prints, and says what it did not understand.

sources    where the lines come from: a path, standard input, gz, xz, bz2, zst
dialect    what form this recording has, from its first lines
quick      the loop: one regular expression takes most lines (`fast`)
general    the careful way for all other lines
prefix, frame, result, messages     one line, taken apart
damage, output, splits              what people, programs and terminals did to it
assemble   frames become events, their halves joined (`join`)
accounting every line is booked
"""

from tracediag.reading.accounting import Counts
from tracediag.reading.dialect import Dialect
from tracediag.reading.general import NotUnderstoodError
from tracediag.reading.reader import Reader, read
from tracediag.reading.sources import UnreadableError, open_source

__all__ = ["Counts", "Dialect", "NotUnderstoodError", "Reader", "UnreadableError", "open_source", "read"]
