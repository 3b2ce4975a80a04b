"""How many times each text of a step was displayed in a list: kept by the hour, published."""
