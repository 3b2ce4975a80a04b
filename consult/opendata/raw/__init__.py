"""The administration's raw data: all that it may see of its organisation, registration data included, encrypted."""
