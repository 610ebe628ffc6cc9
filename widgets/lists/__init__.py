"""Lists of which only what is visible, or has changed, is drawn."""
