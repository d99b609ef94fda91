"""Calls in which a thread sleeps until something happens."""

EPOLL_WAITS = frozenset({"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_wait_old"})
POLLS = frozenset({"poll", "ppoll", "ppoll_time64"})
SELECTS = frozenset({"select", "_newselect", "pselect6", "pselect6_time64"})
WAITS = EPOLL_WAITS | POLLS | SELECTS
"""Wait for descriptors to be ready. A signal handler interrupts each, even with SA_RESTART: signal(7)."""

SLEEPS = frozenset({"nanosleep", "clock_nanosleep", "clock_nanosleep_time64"})
"""Sleep for a time."""
SIGNAL_WAITS = frozenset({"rt_sigtimedwait", "rt_sigtimedwait_time64"})
"""Accept a blocked signal from the queue: sigtimedwait(2), sigwaitinfo(2)."""
PAUSES = frozenset({"pause", "sigsuspend", "rt_sigsuspend"})
"""Wait for a signal to be handled."""
IDLES = SLEEPS | SIGNAL_WAITS | PAUSES
"""Wait without an object: for a time or a signal."""

CHILD_WAITS = frozenset({"wait4", "waitid", "waitpid"})
FUTEXES = frozenset({"futex", "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "futex_requeue"})
"""Wait for and wake waiters of a futex; the operation, or the name, shows which: futex(2)."""

IO_WAITS = frozenset({"io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_uring_enter"})
"""Wait for I/O submitted earlier."""

SEMAPHORE_WAITS = frozenset({"semop", "semtimedop", "semtimedop_time64"})
SYSV_WAITS = SEMAPHORE_WAITS | {"msgrcv", "msgsnd"}
"""Wait for System V semaphores and queues. Like WAITS they are never restarted after a signal: signal(7)."""
MQ_RECEIVES = frozenset({"mq_timedreceive", "mq_timedreceive_time64"})
MQ_SENDS = frozenset({"mq_timedsend", "mq_timedsend_time64"})
QUEUE_WAITS = SYSV_WAITS | MQ_RECEIVES | MQ_SENDS

NEVER_WAIT = frozenset(
    {"rt_sigprocmask", "rt_sigaction", "sigaltstack", "getpid", "gettid", "getppid", "getpgrp", "umask", "uname"}
    | {"getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "gettimeofday", "time"}
    | {"getuid32", "geteuid32", "getgid32", "getegid32", "getresuid32", "getresgid32"}
    | {"clock_gettime", "clock_gettime64"}
    | {"set_tid_address", "set_robust_list", "rseq", "arch_prctl", "sysinfo", "getrusage", "times"}
)
"""Return without a wait: the trace ended in the middle of one, and the thread does not wait."""
