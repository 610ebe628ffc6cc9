"""Every part on every kind of server: `python -m tests.matrix [KIND ...] [--record]`."""
