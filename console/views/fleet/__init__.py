"""What is shown of many agents."""
