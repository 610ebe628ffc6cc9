"""What was seen, and when: decisions, observations, and the one door they come through."""
