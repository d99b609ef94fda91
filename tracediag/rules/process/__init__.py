"""Rules on processes and signals: why one ended, what became of its children, what a signal did to it."""
