"""Verbs on what was recorded: is it whole."""
