"""The tree of processes."""
