"""One word to several agents."""
