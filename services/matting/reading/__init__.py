"""Reading of the clip, and of the user's masks and plate."""
