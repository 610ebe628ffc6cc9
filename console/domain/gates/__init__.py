"""When risk may be raised: the checklist, the one rule, who may say otherwise. Nothing here ever forbids less risk."""
