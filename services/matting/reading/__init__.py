"""Reading of the clip for the backends, and of the user's masks and plate."""
