"""What people follow, a consultation or a contribution, and the daily mail of what happened there."""
