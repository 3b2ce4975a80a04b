"""Replies that nobody can give back to the account that sent them: see deploy/decisions/0010."""
