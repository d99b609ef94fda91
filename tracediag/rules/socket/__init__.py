"""Sockets and pipes (TD2xx)."""
