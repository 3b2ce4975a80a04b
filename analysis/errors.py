"""The one error that a user of the library must be able to read."""


class AnalysisError(Exception):
    """A refusal: one French sentence that says what is wrong, where, and how to mend it."""
