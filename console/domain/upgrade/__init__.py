"""One run from one version to the next: its steps, their evidence, what comes next, and where an abort ends."""
