"""Shadows: how often they decide otherwise, and one such round."""
