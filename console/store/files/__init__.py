"""Files that must never be torn: private ones, and snapshots."""
