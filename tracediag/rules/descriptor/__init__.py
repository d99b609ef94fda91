"""Descriptors and their flags (TD3xx)."""
