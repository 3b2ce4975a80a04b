"""What is asked of those who run the platform: anomalies, against the clocks of the contract, and other requests."""
