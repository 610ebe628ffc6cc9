"""One run from one version to the next: begun, walked, shown, handed back, aborted."""
