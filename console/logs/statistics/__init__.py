"""What the logs say of each version and slot, kept up in constant memory."""
