"""Roles: granting, withdrawing, and the access register."""
