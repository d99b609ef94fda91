"""Calls on files, names and mappings. Variants with one more argument take a directory first: `at`."""

RENAMES = frozenset({"rename", "renameat", "renameat2"})
UNLINKS = frozenset({"unlink", "unlinkat"})
"""Remove a name; unlinkat with AT_REMOVEDIR removes a directory."""
REMOVES = UNLINKS | {"rmdir"}
LINKS = frozenset({"link", "linkat"})
SYMLINKS = frozenset({"symlink", "symlinkat"})
MKDIRS = frozenset({"mkdir", "mkdirat"})
MKNODS = frozenset({"mknod", "mknodat"})
CHDIRS = frozenset({"chdir", "fchdir"})
CHMODS = frozenset({"chmod", "fchmodat", "fchmodat2"})
"""Set the mode of a file by its path."""
CHOWNS = frozenset({"chown", "chown32", "lchown", "lchown32", "fchownat"})
"""Set the owner of a file by its path."""

# fstat64 and fstatat64 are i386's; oldstat and its like are those of Linux 1.
STATS = frozenset({"stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "oldstat", "oldlstat"})
"""Return the attributes of a file by its path."""
FSTATS = frozenset({"fstat", "fstat64", "oldfstat"})
"""Return the attributes of a file by its descriptor; newfstatat and statx do so too, with AT_EMPTY_PATH."""
ACCESSES = frozenset({"access", "faccessat", "faccessat2"})
READLINKS = frozenset({"readlink", "readlinkat"})
STATFSES = frozenset({"statfs", "statfs64"})
GETXATTRS = frozenset({"getxattr", "lgetxattr", "getxattrat", "listxattr", "llistxattr", "listxattrat"})
LOOKS = STATS | ACCESSES | READLINKS | STATFSES | GETXATTRS
"""Query a file by its path without changing it."""
GETDENTS = frozenset({"getdents", "getdents64", "readdir"})
"""Read a directory."""
SEEKS = frozenset({"lseek", "_llseek"})

FSYNCS = frozenset({"fsync", "fdatasync"})
RANGE_SYNCS = frozenset({"sync_file_range", "sync_file_range2"})
SYNCS = FSYNCS | RANGE_SYNCS | {"syncfs", "sync", "msync"}
"""Write modified data to disk: a file, a part of it, a file system, everything, a mapping."""

TRUNCATES = frozenset({"truncate", "truncate64"})
"""Set the length of a file by its path."""
FTRUNCATES = frozenset({"ftruncate", "ftruncate64"})
LOCKS = frozenset({"flock", "fcntl", "fcntl64"})
"""Lock a file; fcntl with F_SETLK, F_SETLKW and those for open file descriptions."""

MAPS = frozenset({"mmap", "mmap2", "old_mmap"})
"""strace 4.5 called i386's mmap, which passes its arguments in a structure, `old_mmap`, and printed it alike."""
