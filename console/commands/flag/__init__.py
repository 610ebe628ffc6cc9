"""Feature flags: set, turned, removed."""
