"""What the end-to-end tests stand on: a gateway to start, servers behind it, log endpoints, and load."""
