"""Plain text with tones: made safe, coloured by meaning, broken into lines."""
