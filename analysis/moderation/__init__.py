"""Aids of moderation: what a text may be worth a moderator's look for, and why. They suggest and never decide."""
