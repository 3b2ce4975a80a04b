"""Participants and staff: accounts, server-side sessions, second factor, memberships and roles."""
