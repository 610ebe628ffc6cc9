"""Readers on the event loop: the store and the decision logs become one stream of observations."""
