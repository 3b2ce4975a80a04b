"""Arguments for and against: their balanced list, the page of one, the form that writes one."""
