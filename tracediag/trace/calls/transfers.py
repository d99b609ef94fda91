"""Calls that move data. The plain ones work where the descriptor stands, the positioned ones at a given offset."""

MESSAGE_RECEIVES = frozenset({"recvmsg", "recvmmsg", "recvmmsg_time64"})
"""Receive messages that may carry descriptors."""
MESSAGE_SENDS = frozenset({"sendmsg", "sendmmsg"})
BATCHES = frozenset({"recvmmsg", "recvmmsg_time64", "sendmmsg"})
"""Move several messages, and return how many, not how many bytes: recvmmsg(2), sendmmsg(2)."""

RECEIVES = MESSAGE_RECEIVES | {"recv", "recvfrom"}
"""Take data from a socket, and from nothing else."""
SENDS = MESSAGE_SENDS | {"send", "sendto"}
SOCKET_TRANSFERS = RECEIVES | SENDS

FILE_READS = frozenset({"read", "readv"})
"""Take data from anything."""
FILE_WRITES = frozenset({"write", "writev"})
READS = FILE_READS | RECEIVES
"""Take data from where the descriptor stands, be it a file, a pipe or a socket."""
WRITES = FILE_WRITES | SENDS

# `pread` and `pwrite` are what strace prints on some machines, and printed everywhere before 4.5.
POSITIONED_READS = frozenset({"pread", "pread64", "preadv", "preadv2"})
"""Take data from a given offset; there is none in a pipe or a socket."""
POSITIONED_WRITES = frozenset({"pwrite", "pwrite64", "pwritev", "pwritev2"})
POSITIONED = POSITIONED_READS | POSITIONED_WRITES

VECTORS = frozenset({"readv", "writev", "preadv", "preadv2", "pwritev", "pwritev2"})
"""Take an array of buffers for their second argument: readv(2)."""

SENDFILES = frozenset({"sendfile", "sendfile64"})
MOVES = SENDFILES | {"splice", "tee", "copy_file_range"}
"""Move data from one descriptor to another inside the kernel."""
