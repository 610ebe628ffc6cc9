"""The server itself: connecting to it, its troubles in words, and an embedded one of our own."""
