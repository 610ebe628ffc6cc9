"""What a guard is started with."""
