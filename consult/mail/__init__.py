"""Mails: rendered in French from templates, kept with the act that causes them, delivered by a job."""
