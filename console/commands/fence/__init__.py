"""Who acts: switch, roll back, halt, resume, undo, and doubts resolved."""
