"""The journal of staff acts: who did what to what, and why; append-only."""
