"""Codebooks, their approval, and analysis runs: append-only, each figure with its way back to contributions."""
