"""The checklist and plans of overrides, as people and programs read them."""
