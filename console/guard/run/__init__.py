"""The guard's process, on one agent or on all of a store."""
