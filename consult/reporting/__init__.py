"""Deliverables built from analysis runs: result pages, the way back to the contributions, files."""
