"""Which process or thread another one waits for, where a snapshot of /proc shows it.

link       what a thread waits for, as a value; names of threads and processes
locks      locks of threads and files, semaphores
children   the end of a child; vfork
signals    signals, pending and blocked ones
files      FIFOs, and file systems that do not answer
events     eventfd, timerfd, signalfd, inotify, pidfd
transfers  pipes, sockets, queues, terminals
datagrams  answers of UDP servers
threads    which threads of a process only wait for another one of it
polls      poll, select and epoll_wait: several of these
stopped    where a thread stands, or what stopped it
links      all of them: what one thread waits for, and the thread or process that could end the wait
chains     such links one after another, to the end of the chain or in a circle
"""

from tracediag.evidence.blocking.chains import (
    LOCKS,
    WITHIN,
    Chain,
    blocked_by,
    chain_of,
    lock_holder,
    named,
    standing_in,
    unreaped,
)
from tracediag.evidence.blocking.link import Link, name_of
from tracediag.evidence.blocking.links import link_of
from tracediag.evidence.blocking.stopped import stopped

__all__ = [
    "LOCKS",
    "WITHIN",
    "Chain",
    "Link",
    "blocked_by",
    "chain_of",
    "link_of",
    "lock_holder",
    "name_of",
    "named",
    "standing_in",
    "stopped",
    "unreaped",
]
