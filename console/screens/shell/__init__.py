"""The app in parts: what each adds to it."""
