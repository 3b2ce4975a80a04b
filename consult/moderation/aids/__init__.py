"""Aids of moderation: what a machine suggests that a moderator look at, and why. It decides nothing."""
