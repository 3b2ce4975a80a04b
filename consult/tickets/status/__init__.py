"""Whether the platform answers: samples of a probe, what they say of each month, and the public page."""
