"""When the texts of a step are read: chosen by the organiser, changed in public."""
