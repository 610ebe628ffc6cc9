"""What a venue says, how far it may be believed, and what follows from that."""
