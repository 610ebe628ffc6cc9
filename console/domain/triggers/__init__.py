"""The seven rollback triggers: facts in, findings out."""
