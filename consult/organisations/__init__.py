"""The administrations served (tenants): identity, theme, legal notice."""
