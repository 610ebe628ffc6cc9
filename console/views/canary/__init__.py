"""A canary as an operator asks of it."""
