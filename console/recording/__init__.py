"""Recordings: what was seen, kept in a file, and shown again as it was."""
