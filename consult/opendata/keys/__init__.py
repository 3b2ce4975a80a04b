"""The administration's API keys: hashed, scoped, expiring, and what they open under /api/private."""
