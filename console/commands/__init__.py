"""What an operator can do: one file a verb, each declared once; keys, palette, `:` line, CLI and help come from it."""
