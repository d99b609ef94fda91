"""What `/proc` shows of processes at one moment: proc(5).

The structs are the document `TRACE.proc.json`; docs/attach.md explains it. A field is empty where the reader was not
permitted to read it.
"""

from __future__ import annotations

from functools import cached_property

import msgspec


class Registered(msgspec.Struct, frozen=True):
    """One entry of an epoll set: a `tfd` line of fdinfo, proc_pid_fdinfo(5)."""

    fd: int
    events: int
    data: int


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """One descriptor: its number, and what `/proc/PID/fd` and `/proc/PID/fdinfo` show of it."""

    number: int
    target: str
    """The target of the link: "/etc/hosts", "pipe:[7]", "socket:[7]", "anon_inode:[eventpoll]"."""
    flags: int | None = None
    """Access mode, status flags and O_CLOEXEC, as bits."""
    inode: int | None = None
    device: str = ""
    """The device of the file system, "fe:00", as `/proc/locks` writes it."""
    epoll: tuple[Registered, ...] = ()
    details: dict[str, str] = {}
    """What fdinfo shows of a timerfd, eventfd, signalfd, pidfd or inotify descriptor, in its own words."""


class Ipc(msgspec.Struct, frozen=True, omit_defaults=True):
    """A System V semaphore or message queue that a thread waits for: semctl(2), proc_sysvipc(5)."""

    kind: str
    """"semaphore" or "queue"."""
    ident: int
    key: int = 0
    number: int = 0
    """Which semaphore of the set."""
    value: int | None = None
    """Its value; of a queue, the number of messages."""
    asked: int = 0
    """What semop would add to the value; 0 waits until it is zero."""
    last: int = 0
    """The process that last changed the semaphore, or that last did at the queue what the thread waits for."""


class ThreadState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thread, and the call in which it stands."""

    tid: int
    name: str = ""
    state: str = ""
    """"R" runs, "S" sleeps, "D" sleeps and cannot be interrupted, "T" is stopped, "Z" has ended."""
    call: str = ""
    """The name of the call, or its number as text; empty while the thread runs."""
    arguments: tuple[int, ...] = ()
    wchan: str = ""
    """The kernel function in which it sleeps."""
    stack: tuple[str, ...] = ()
    """The kernel functions, the innermost first."""
    watches: tuple[Registered, ...] = ()
    """The descriptors that its poll or select waits for, with the events; those of an epoll set stand at the set."""
    path: str = ""
    """The path that its call takes, or the unix socket that it connects to."""
    ipc: Ipc | None = None
    """The semaphore or queue that it waits for."""
    blocked: int = 0
    """The signals that it blocks, as bits: signal N is bit N - 1. During rt_sigsuspend, those that this call blocks."""
    pending: int = 0
    """The signals that were sent to it, and that it blocks."""
    asked: int = 0
    """The signals that its rt_sigtimedwait takes."""


class ProcessState(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """One process."""

    pid: int
    parent: int | None = None
    executable: str = ""
    arguments: tuple[str, ...] = ()
    directory: str = ""
    """The working directory."""
    tracer: int = 0
    """The pid of its tracer; 0 for none."""
    ignored: int = 0
    """The signals that it ignores, as bits."""
    caught: int = 0
    """The signals that it handles, as bits."""
    pending: int = 0
    """The signals that were sent to the process, and that its threads block."""
    group: int = 0
    """Its process group."""
    foreground: int = 0
    """The process group that may read its terminal; 0 where it has no terminal."""
    threads: tuple[ThreadState, ...] = ()
    descriptors: tuple[Held, ...] = ()
    children: tuple[int, ...] = ()
    status: int | None = None
    """How it ended, as wait(2) reports it, where its parent has not waited for it; None while it runs."""
    language: str = ""
    """"go" for a program that the Go compiler made; "" for any other."""

    @property
    def name(self) -> str:
        """The name of its program, without the folder."""
        path = self.executable.removesuffix(" (deleted)") or (self.arguments[0] if self.arguments else "")
        return path.rpartition("/")[2] or (self.threads[0].name if self.threads else "")

    def thread(self, tid: int) -> ThreadState | None:
        """Return one of its threads."""
        return self._by_tid.get(tid)

    @cached_property
    def _by_tid(self) -> dict[int, ThreadState]:
        return {thread.tid: thread for thread in self.threads}

    def held(self, number: int) -> Held | None:
        """Return what it has open under a number."""
        return self._by_number.get(number)

    @cached_property
    def _by_number(self) -> dict[int, Held]:
        return {held.number: held for held in self.descriptors}


class SocketState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One socket: a row of `/proc/net/tcp`, `udp` or `unix`."""

    inode: int
    protocol: str
    """"TCP", "TCPv6", "UDP", "UDPv6", "UNIX-STREAM", "UNIX-DGRAM", "UNIX-SEQPACKET"."""
    local: str = ""
    peer: str = ""
    state: str = ""
    """"LISTEN", "ESTABLISHED", "SYN-SENT", ..."""
    peer_inode: int = 0
    """The other socket of a connected pair of unix sockets."""
    queued: int = 0
    """Bytes that wait to be read; of a listener, connections that wait to be accepted."""

    @property
    def is_open(self) -> bool:
        """Whether any client can reach it: a listener, or a datagram socket without a peer."""
        return self.state == "LISTEN" or (self.protocol.startswith("UDP") and not self.peer)

    def serves(self, address: str) -> bool:
        """Whether clients reach it at an address: it is bound to that, or to all addresses with that port."""
        if not self.is_open or not self.local:
            return False
        host, _, port = self.local.rpartition(":")
        return unmapped(self.local) == address or (host in _ALL and port == address.rpartition(":")[2])


class Lock(msgspec.Struct, frozen=True, omit_defaults=True):
    """One lock of a file, or a request for one: a row of `/proc/locks`, proc_locks(5)."""

    number: int
    """The number of the row: a request has that of the lock that it waits for."""
    kind: str
    """"FLOCK", "POSIX", "OFDLCK", "LEASE"."""
    mode: str
    """"READ" or "WRITE"."""
    pid: int
    """The process; -1 for a lock of an open file description."""
    file: str
    """The device and inode of the file: "fe:00:1234"."""
    waits: bool = False
    """Whether it is a request that waits."""


class Futex(msgspec.Struct, frozen=True, omit_defaults=True):
    """The word in memory that a thread waits for in futex(2), and the thread that it names."""

    tid: int
    """The thread that waits."""
    address: int
    word: int
    kind: str = ""
    """"mutex", "stream", "rwlock" or "join"; "" where the word names no thread."""
    owner: int | None = None
    """The thread that holds the lock, or that has to end; it need not live any more."""
    readers: int = 0
    """Of a read-write lock that a writer waits for: how many threads hold it for reading; glibc does not note which."""
    forked: bool = False
    """Whether the owner is a thread of the parent, which held the lock when it forked: the copy stays locked."""
    file: str = ""
    """The file in whose shared mapping the word lies: "/dev/shm/sem.NAME" is a POSIX semaphore, sem_overview(7)."""
    sharers: tuple[int, ...] | None = None
    """The other processes that map this file, and so can wake the thread; None where not all could be looked at."""
    inner: bool = False
    """Whether only the threads of the process can wake it: the futex, or the mapping that it lies in, is private."""


_ALL = ("0.0.0.0", "[::]")
_MAPPED = "[::ffff:"


def unmapped(address: str) -> str:
    """Return the IPv4 address that a socket of IPv6 has as "[::ffff:10.0.0.1]:80": ipv6(7)."""
    return address[len(_MAPPED) :].replace("]:", ":", 1) if address.startswith(_MAPPED) else address


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process, traced or not, that has one end of a pipe or socket of interest open."""

    pid: int
    number: int
    target: str
    flags: int | None = None


class Mount(msgspec.Struct, frozen=True):
    """A file system and where it is mounted: a row of `/proc/PID/mountinfo`, proc_pid_mountinfo(5)."""

    point: str
    kind: str
    """Its type, as mount(8) names it: "ext4", "tmpfs", "nfs4", "fuse.sshfs"."""


class Mounts(msgspec.Struct, frozen=True):
    """The file systems that some processes see: those of one mount namespace and root, mount_namespaces(7)."""

    pids: tuple[int, ...]
    mounts: tuple[Mount, ...]
