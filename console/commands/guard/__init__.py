"""Telling the guards: thresholds, and that somebody has seen an alert."""
