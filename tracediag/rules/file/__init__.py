"""Input and output of files, and memory mapped from them (TD4xx)."""
