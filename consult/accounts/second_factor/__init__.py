"""The second factor of staff: one-time codes and recovery codes."""
