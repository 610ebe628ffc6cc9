"""The same rules over recorded logs."""
