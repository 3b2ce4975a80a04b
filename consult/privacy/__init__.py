"""What a person may ask of the data held about them: to have it, and to have it erased."""
