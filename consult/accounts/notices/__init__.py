"""Which mails an account receives: all there are, those that may be declined, and the one rule of who gets them."""
