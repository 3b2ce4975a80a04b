"""Staff pages of official answers, commitments and cases."""
