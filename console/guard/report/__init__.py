"""What the guards say of themselves, of one agent and of all."""
