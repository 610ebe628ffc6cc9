"""Log files: found, followed through growth and rotation, read from their end."""
