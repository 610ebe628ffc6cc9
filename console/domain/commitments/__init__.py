"""What is owed: commitments, who owns them through a switch, who watches them, and which versions may be stopped."""
