"""Asking a venue over HTTP, as a document says: bounded in time, bytes and number, and never believed beyond that."""
