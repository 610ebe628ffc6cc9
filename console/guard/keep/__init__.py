"""What a guard reads and keeps in the store, bounded."""
