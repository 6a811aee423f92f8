"""What travels: log frames, positions, topics, sessions, the gateway."""
