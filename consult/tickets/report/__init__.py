"""The monthly service report: what was promised, what was kept, recomputed from the history alone."""
