"""Reads an strace log as an expert would, and tells what is wrong, with proof."""
