"""Small programs that are run on a pseudo-terminal: floors and peers."""
