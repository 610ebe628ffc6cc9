"""Comparing what the live version decided with what its shadow would have."""
