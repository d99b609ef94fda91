"""The contents of a trace as values: events, arguments, annotations, errnos, names of calls and parameters."""
