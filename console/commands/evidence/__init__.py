"""Verbs on evidence files."""
