"""What a guard tells a monitoring system: `guard --metrics`."""
