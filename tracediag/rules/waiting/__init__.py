"""Waits that do not end (TD6xx)."""
