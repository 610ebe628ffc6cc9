"""A/B tests of two strategies within one version."""
