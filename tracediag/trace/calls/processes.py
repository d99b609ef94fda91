"""Calls that create, change and end processes and threads, and that send signals."""

FORKS = frozenset({"fork", "vfork", "clone", "clone2", "clone3"})
"""Create a process or a thread; `clone2` is the clone of ia64."""
EXECS = frozenset({"execve", "execveat"})
EXITS = frozenset({"exit", "exit_group", "_exit"})
"""End a thread (exit) or its process (exit_group); strace 4.4 called exit `_exit`."""

KILLS = frozenset({"kill", "tkill", "tgkill"})
"""Send a signal identified only by its number."""
SIGNAL_SENDS = KILLS | {"pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}
SIGNAL_ACTIONS = frozenset({"rt_sigaction", "sigaction", "signal"})
"""Set the action of a signal."""
SIGNAL_MASKS = frozenset({"rt_sigprocmask", "sigprocmask"})
SIGNAL_RETURNS = frozenset({"rt_sigreturn", "sigreturn"})
"""Return from a signal handler: sigreturn(2)."""

SET_USERS = frozenset({"setuid", "setuid32", "setreuid", "setreuid32", "setresuid", "setresuid32"})
SET_GROUPS = frozenset({"setgid", "setgid32", "setregid", "setregid32", "setresgid", "setresgid32"})
SET_SUPPLEMENTARY = frozenset({"setgroups", "setgroups32"})
