"""What a mapping says: where in the records of others the values of a decision stand."""
