"""What proves something, for any rule: it reads the kernel's state and knows no rule."""
