"""From a key, the palette or the `:` line to a command and its receipt."""
