"""What a guard tells people: alerts, by webhooks."""
