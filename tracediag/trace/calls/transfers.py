"""Calls that move data. The plain ones use the file offset, the positioned ones an offset of their own."""

MESSAGE_RECEIVES = frozenset({"recvmsg", "recvmmsg", "recvmmsg_time64"})
"""Receive messages that may carry descriptors."""
MESSAGE_SENDS = frozenset({"sendmsg", "sendmmsg"})
BATCHES = frozenset({"recvmmsg", "recvmmsg_time64", "sendmmsg"})
"""Move several messages, and return their number, not the number of bytes: recvmmsg(2), sendmmsg(2)."""

RECEIVES = MESSAGE_RECEIVES | {"recv", "recvfrom"}
"""Receive data from a socket only."""
SENDS = MESSAGE_SENDS | {"send", "sendto"}
SOCKET_TRANSFERS = RECEIVES | SENDS

FILE_READS = frozenset({"read", "readv"})
"""Read data from any descriptor."""
FILE_WRITES = frozenset({"write", "writev"})
READS = FILE_READS | RECEIVES
"""Read data at the file offset of a file, or from a pipe or socket."""
WRITES = FILE_WRITES | SENDS

# `pread` and `pwrite` are what strace prints on some machines, and printed everywhere before 4.5.
POSITIONED_READS = frozenset({"pread", "pread64", "preadv", "preadv2"})
"""Read data at a given offset; pipes and sockets have none."""
POSITIONED_WRITES = frozenset({"pwrite", "pwrite64", "pwritev", "pwritev2"})
POSITIONED = POSITIONED_READS | POSITIONED_WRITES

VECTORS = frozenset({"readv", "writev", "preadv", "preadv2", "pwritev", "pwritev2"})
"""Take an array of buffers as their second argument: readv(2)."""

SENDFILES = frozenset({"sendfile", "sendfile64"})
MOVES = SENDFILES | {"splice", "tee", "copy_file_range"}
"""Move data from one descriptor to another inside the kernel."""
