"""What crosses over from one version to the next: flags and snapshots."""
