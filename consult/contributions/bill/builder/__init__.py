"""Staff pages of a bill: its parts, put in order while the consultation is a draft."""
