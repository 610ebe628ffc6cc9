"""Rules and values, pure: no store, no screen, no files, no network, and no clock (`now` is an argument)."""
