"""The calls and sequences that match a query."""
