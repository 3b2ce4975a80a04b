"""The moderators' register: who moderates, since when, and what became of their decisions."""
