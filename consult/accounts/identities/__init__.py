"""FranceConnect and ProConnect: another way in, by OpenID Connect, of which only who it opens to is kept."""
