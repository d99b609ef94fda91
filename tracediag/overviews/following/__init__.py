"""The life of one object: a descriptor, a path, a peer, a process, a pipe."""
