"""Attacks on the promise, *at most once for each key, never silently lost, every doubt visible*: signals, forks,
values, clocks, time travel and damage, each on real processes and a real Valkey.

`make test` runs them; what takes longer is marked `long`.
"""
