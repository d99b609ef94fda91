"""One call in words: its arguments, its result, what stands before and after it."""
