"""What people do to contents: vote, argue, change and withdraw."""
