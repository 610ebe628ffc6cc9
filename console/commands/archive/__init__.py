"""Verbs on the archive of the chained streams."""
