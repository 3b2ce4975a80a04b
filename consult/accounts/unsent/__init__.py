"""Forms sent by somebody who had to sign in first, kept until they are sent again."""
