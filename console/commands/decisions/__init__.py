"""Verbs over whole decision logs, however long: list, search, show, sum."""
