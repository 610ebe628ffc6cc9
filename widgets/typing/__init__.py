"""Where the operator types, and is asked."""
