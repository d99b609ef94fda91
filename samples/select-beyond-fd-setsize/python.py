"""The same server in Python, which refuses such a number."""

import fcntl
import resource
import select
import socket

resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
with socket.socket() as low:
    listener = socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 1024))
listener.listen(16)
select.select([listener], [], [], 0.1)
