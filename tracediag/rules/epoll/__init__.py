"""Event loops: epoll, poll, select (TD1xx)."""
