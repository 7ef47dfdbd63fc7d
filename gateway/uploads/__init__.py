"""Resumable uploads (tus 1.0), and the folder of the received bytes."""
