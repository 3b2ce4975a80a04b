"""A questionnaire on paper."""
