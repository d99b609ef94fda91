"""What would end the call in which a thread stands, and which process could do that: one sentence for the reader.

The sentences say what the manual says of the call: flock(2), fcntl_locking(2), fifo(7), futex(2), wait(2), pipe(7),
connect(2), semop(2), mq_receive(3). What only the living system knows comes with the command that shows it.

transfers  calls that read and write
polls      poll, select and epoll_wait
others     futex, and calls that wait for a child
sentences  all of them
"""

from tracediag.evidence.reasons.others import stacks_of
from tracediag.evidence.reasons.sentences import reason

__all__ = ["reason", "stacks_of"]
