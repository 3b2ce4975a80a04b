"""The staff side of a step of proposals: its themes."""
