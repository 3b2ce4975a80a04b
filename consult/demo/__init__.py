"""The authored, fictional, seeded demonstration consultation."""
