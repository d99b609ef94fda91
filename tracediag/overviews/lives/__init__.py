"""The shapes of lives: what each connection, child and file goes through."""
