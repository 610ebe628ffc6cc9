"""Figures as pictures: bars, intervals, sparklines, the PnL chart."""
