"""Which files a program reads, writes, looks for and does not find."""
