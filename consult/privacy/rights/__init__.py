"""Asking for a right of the GDPR: the request, its due date, the answer, and what a granted one stops."""
