"""An index of whole decision logs: which stretch of which file holds what, so that no question reads all of it."""
