"""Snapshots: taken and put back."""
