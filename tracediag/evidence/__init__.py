"""Evidence that rules share: it reads the kernel's state and knows no rule."""
