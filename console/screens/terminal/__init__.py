"""The terminal itself: writing that never holds up the keys, the clipboard."""
