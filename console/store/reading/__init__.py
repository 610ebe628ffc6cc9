"""Reading what an agent keeps in the store, whatever its keys hold."""
