"""Which process or thread another one waits for, where a snapshot of /proc shows it.

link       what a thread waits for, as a value; names of threads and processes
locks      locks of threads and files, semaphores
events     eventfd, timerfd, signalfd, inotify, pidfd
transfers  pipes, sockets, queues, terminals
polls      poll, select and epoll_wait: several of these
links      all of them: what one thread waits for, and the thread or process that could end the wait
chains     such links one after another, to the end of the chain or in a circle
"""

from tracediag.evidence.blocking.chains import INNER, LOCKS, Chain, blocked_by, chain_of, lock_holder, standing_in
from tracediag.evidence.blocking.link import Link, name_of
from tracediag.evidence.blocking.links import link_of

__all__ = [
    "INNER",
    "LOCKS",
    "Chain",
    "Link",
    "blocked_by",
    "chain_of",
    "link_of",
    "lock_holder",
    "name_of",
    "standing_in",
]
