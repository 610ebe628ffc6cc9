"""Who may act: slots, epochs, claims, the hash chain, and what must hold of the server beneath."""
