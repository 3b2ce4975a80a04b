"""Creating an account, proving not to be a robot, confirming an address."""
