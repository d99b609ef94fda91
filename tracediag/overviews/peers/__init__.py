"""The addresses that a program is connected to, one row each."""
