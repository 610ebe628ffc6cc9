"""What is owed, and which versions may be stopped."""
