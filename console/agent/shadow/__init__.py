"""A shadow: the new version decides on what the live one decides on, and can act on nothing."""
