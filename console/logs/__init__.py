"""Decision logs: JSON lines followed through growth, rotation and hostile content, and the statistics kept of them."""
