"""Who acts: slots, instances, the connection, and how far a command has come."""
