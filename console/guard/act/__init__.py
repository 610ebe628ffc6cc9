"""What a guard does about harm: freeze, roll back, take a canary back."""
