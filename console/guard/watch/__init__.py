"""One agent under watch: what comes in, one look, and what is done about it."""
