"""A new version decides again on what was recorded: what differs, what of that is its own noise, and what it costs."""
