"""The HTTP side of operations: descriptions, request models, checks, submission and answers."""
