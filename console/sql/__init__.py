"""Decisions, audit and actions as tables that are asked in SQL; loaded by the one verb that does."""
