"""What a venue said, as people and programs are shown it."""
