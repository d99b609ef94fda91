"""The command line: one module a subcommand.

A module's docstring is its help; `Options` are its options as a typed struct; `configure` declares them to
argparse; `run` does the work and returns the exit code. All of them are imported for `--help`, so they import nothing
heavy themselves: rich, lark and the rules come in when a command runs.
"""

NAMES = (
    *("analyze", "run", "why", "state", "explain", "follow", "files", "peers", "lives", "tree", "summary", "grep"),
    *("rules", "baseline", "config", "doctor", "schema", "demo", "serve", "completion"),
)
"""The subcommands in the order of the help: the diagnosis, questions from the usual to the rare, all else."""
