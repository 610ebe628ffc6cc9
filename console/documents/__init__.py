"""Files that people write, read strictly: every error at once, with its line and the nearest name.

pydantic is loaded here and nowhere else, so only what reads such a file imports this package, when it does.
"""
