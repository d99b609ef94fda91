"""Undoes what loggers, pagers, pages and people put around the lines of a trace; decided once for a trace.

pipeline   the sample, the order of the undoings, and the text without them
undoing    what an undoing is: lines in, lines out
starts     where in a line the record begins
shapes     the margins that many lines share; numbers: which numbers are those of lines; ends: the right margin
characters colours, entities, typographic marks, Markdown
literals   lines that are string literals: JSON, repr, C, YAML; cells: CSV
joins      records that were broken over several lines; runs: several records in one line
context    the file names of `grep -C`; reversal: the newest line first
"""

from tracediag.reading.margins.pipeline import LOOK_AHEAD, opened
from tracediag.reading.margins.undoing import CONTINUED

__all__ = ["CONTINUED", "LOOK_AHEAD", "opened"]
