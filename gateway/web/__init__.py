"""The web studio's files, and the routes that serve them."""
