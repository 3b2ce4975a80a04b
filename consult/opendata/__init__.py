"""Open data: dumps of what is public, and the public API."""
