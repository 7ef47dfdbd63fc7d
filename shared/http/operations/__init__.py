"""Operations over HTTP: descriptions, request models, checks, submission, answers."""
