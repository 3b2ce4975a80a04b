"""Signing in by a link sent by mail, without a password."""
