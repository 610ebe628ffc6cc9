"""An A/B test from the agent's side."""
