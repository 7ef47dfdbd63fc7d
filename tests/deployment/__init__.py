"""Tests of a deployment with Docker Compose."""
