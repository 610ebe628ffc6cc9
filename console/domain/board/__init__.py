"""Boards: what is read only while somebody looks at it, or asks for it: what is held, and the checklist."""
