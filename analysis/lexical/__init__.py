"""Counts of words: frequencies and specificities."""
