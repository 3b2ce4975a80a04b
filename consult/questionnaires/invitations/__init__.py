"""Invitations to reply once, mailed or printed: what opens one is known by its digest alone."""
