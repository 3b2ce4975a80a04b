"""What an administration answers to those it consulted, what it commits to, and the cases it tells of."""
