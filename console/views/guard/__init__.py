"""The guards as an operator sees them: who watches, what they see, and what they have raised."""
