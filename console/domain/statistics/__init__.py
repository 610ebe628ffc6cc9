"""What rounds show, valid at any time: confidence sequences, e-processes, moments, sketches, and the verdict."""
