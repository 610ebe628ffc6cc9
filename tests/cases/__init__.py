"""Situations from public reports of systems like this one: a folder each, with its inputs and the rule it follows."""
