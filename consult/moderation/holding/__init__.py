"""Who examines a content now: it is theirs for a while, and nobody else decides on it meanwhile."""
