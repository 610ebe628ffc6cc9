"""Proving a new version by capital, step by step."""
