"""What an operator asks a venue."""
