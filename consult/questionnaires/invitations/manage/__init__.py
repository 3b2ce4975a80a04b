"""Staff pages of the invitations of a questionnaire."""
