"""Many agents of one store, side by side."""
