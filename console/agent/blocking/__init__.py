"""Fenced actions for blocking agents."""
