"""Calls that create, copy, configure and close descriptors."""

OPENS = frozenset({"open", "openat", "openat2", "creat"})
"""Open a file by its path."""
SOCKETS = frozenset({"socket", "socketpair"})
ACCEPTS = frozenset({"accept", "accept4"})
PIPES = frozenset({"pipe", "pipe2"})
EPOLL_CREATES = frozenset({"epoll_create", "epoll_create1"})
EVENTFDS = frozenset({"eventfd", "eventfd2"})
SIGNALFDS = frozenset({"signalfd", "signalfd4"})
TIMERFDS = frozenset({"timerfd_create"})
INOTIFIES = frozenset({"inotify_init", "inotify_init1"})
"""Create an inotify instance; a separate limit applies to each."""

REPLACES = frozenset({"dup2", "dup3"})
"""Copy a descriptor to a given number, and close the descriptor that had it: dup2(2)."""
DUPS = REPLACES | {"dup"}
"""Copy a descriptor; so does fcntl with F_DUPFD."""
CONTROLS = frozenset({"fcntl", "fcntl64"})
COPIES = DUPS | CONTROLS

MAKERS = (
    OPENS
    | SOCKETS
    | ACCEPTS
    | PIPES
    | EPOLL_CREATES
    | EVENTFDS
    | SIGNALFDS
    | TIMERFDS
    | INOTIFIES
    | DUPS
    | {"open_by_handle_at", "open_tree", "open_tree_attr", "fsopen", "fsmount", "fspick", "mq_open", "memfd_create"}
    | {"memfd_secret", "pidfd_open", "pidfd_getfd", "perf_event_open", "userfaultfd", "fanotify_init", "io_uring_setup"}
)
"""Return a new descriptor or, as pipe and socketpair, two. fcntl, bpf and clone do so only sometimes."""

CLOSES = frozenset({"close", "close_range"})

SOCKET_LOOKS = frozenset({"getsockname", "getpeername", "getsockopt"})
"""Query a socket without changing it."""
SOCKET_SETUP = frozenset({"bind", "connect", "listen", "shutdown", "setsockopt"})
"""Change a socket without moving data."""

EPOLL_CTLS = frozenset({"epoll_ctl", "epoll_ctl_old"})
