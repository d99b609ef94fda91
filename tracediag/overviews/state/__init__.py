"""What is open, registered, locked and alive as of a line."""
