"""Under which name a person is shown: what it may be, everywhere and in one consultation."""
