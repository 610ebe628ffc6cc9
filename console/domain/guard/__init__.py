"""Guards as they tell of themselves: alerts, members of a group, who watches which agent."""
