"""Proposals under themes, arguments for and against, votes."""
