"""A canary from the agent's side: routing rounds by capital, and the desk that does it."""
