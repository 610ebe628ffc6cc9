"""Verbs about decision logs as files: check."""
