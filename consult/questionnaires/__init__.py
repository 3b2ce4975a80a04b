"""Questionnaires: questions, options, replies and their answers."""
