"""Being shown under another name in one consultation."""
