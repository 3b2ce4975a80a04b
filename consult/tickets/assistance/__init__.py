"""Help asked by anybody: a form, a ticket, its thread on a page that a secret link opens."""
