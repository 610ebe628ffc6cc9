"""A/B tests: defined, run, and their winner adopted."""
