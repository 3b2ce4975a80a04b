"""Setting up a questionnaire before it opens, and its figures once replies come in."""
