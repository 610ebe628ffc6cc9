"""Hearing of anything new: control events, decision logs, settled actions."""
