"""An agent's venue in a guard's care: looks on its own clock, doubts told from its history, a dead man's switch."""
