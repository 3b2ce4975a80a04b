"""Pages about the site itself: help, legal texts, map, contact, probes, what robots and researchers look for."""
