"""A canary by capital: its plan, its run, how rounds are shared out, and the next step with its reason."""
