"""What is kept in the store beside the fence: the audit, canaries, experiments, shadows, and what guards say."""
