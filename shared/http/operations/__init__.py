"""Operations over HTTP: descriptions, request models, checks, submission, answers.

The routes of each service and of the gateway's pipelines are built from them.
"""
