"""The query language: says what a call, or a sequence of calls on one object, looks like.

    from tracediag.query import compile_query

    query = compile_query('call in (rename, renameat2) and errno == EXDEV')
    query.calls, query.errnos     which calls can match: the reader need not make events of others
    query.matches(action)         whether the call of an action matches, for queries about one call
    query.watch()                 for all queries: `feed(action)` yields each `Match`

errors     QueryError: the column, what was expected there, the nearest name
grammar    the lark parser of `grammars/query.lark`
kept       what the queries of pages consist of, kept in the user's cache folder
nodes      what a query consists of, after parsing
types      what kinds of values there are, and which comparisons each allows
names      every name that a query reads, listed once, by what it is read of
reads      how these are read of a call
facts      what the evidence knows of a call, for some of them; flags, children likewise
expressions regular expressions that could take very long; positions, characters: how they are looked at
easing     what is searched in place of some of them
ends       how the process of the call ended, for those that begin with `end.`
records    how names of signals and of the ends of threads are read
stand_ins  signals and ends in the place of a call
history    names of earlier events, and what is read of these
objects    what `by` may name, and which objects a call belongs to
comparisons what a single comparison tests, as a closure
literals   texts that the line of a call must show
compiled   a compiled condition, with the calls and errors that can match
conditions condition -> compiled condition
compiling  text -> Query
whole      a compiled query, as it is asked
mistakes   what is wrong with a text that is not of the language
matching   a match, and queries about one call followed over a trace
watching   likewise sequences and counts; sums and absences likewise
"""

from tracediag.query.compiling import compile_field, compile_query
from tracediag.query.errors import QueryError
from tracediag.query.matching import Match, Watch, forget_released
from tracediag.query.names import CLASSES, NAMES, Name
from tracediag.query.objects import OBJECTS
from tracediag.query.whole import Query

__all__ = [
    "CLASSES",
    "NAMES",
    "OBJECTS",
    "Match",
    "Name",
    "Query",
    "QueryError",
    "Watch",
    "compile_field",
    "compile_query",
    "forget_released",
]
