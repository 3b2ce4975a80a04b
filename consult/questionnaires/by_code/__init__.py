"""Replies that are held by a code: given once, to whoever sent one without an account tied to it."""
