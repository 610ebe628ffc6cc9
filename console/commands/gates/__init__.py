"""Gates: gathering what they go by, obeying them, overriding them, and the checklist."""
