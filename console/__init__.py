"""agent-console: watch and command the transitions of AI agents that hold money."""

__version__ = "0.1.0"
