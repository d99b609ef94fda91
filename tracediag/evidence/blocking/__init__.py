"""Which process or thread another one waits for, where a snapshot of /proc shows it.

links      what one thread waits for, and the thread or process that could end the wait
chains     such links one after another, to the end of the chain or in a circle
"""

from tracediag.evidence.blocking.chains import LOCKS, Chain, blocked_by, chain_of
from tracediag.evidence.blocking.links import Link, link_of, name_of

__all__ = ["LOCKS", "Chain", "Link", "blocked_by", "chain_of", "link_of", "name_of"]
