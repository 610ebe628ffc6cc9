"""How often the verdicts are wrong, and how soon right: `make simulate`."""
