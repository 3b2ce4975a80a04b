"""A debate: one question that the administration asks, argued for and against."""
