"""Calls counted by name, object or process."""
