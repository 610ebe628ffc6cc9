"""The one door from commands to the store."""
