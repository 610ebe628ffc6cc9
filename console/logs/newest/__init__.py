"""The newest decisions, in an order that never changes behind what was shown."""
