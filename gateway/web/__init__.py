"""The web studio: its files, and how they are served."""
