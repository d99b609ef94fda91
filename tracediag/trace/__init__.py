"""What a trace says, as values: events, arguments, annotations, errnos, the names of calls and of their parameters."""
