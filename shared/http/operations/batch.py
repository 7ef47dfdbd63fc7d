"""Answers to requests that start many jobs, of which some may be refused."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

from fastapi import Response
from pydantic import BaseModel, Field

from shared.errors import ReelwrightError
from shared.http.problems import Problem
from shared.jobs import Job

MOST_JOBS = 100
LONGEST_KEY = 255


class RefusedJob(BaseModel):
    """An item of a batch that was refused, and the reason."""

    index: int = Field(description="Place of the item in the request, from 0.")
    problem: Problem


class Batch(BaseModel):
    """Answer to a batch: the accepted jobs, and the refused items."""

    jobs: list[Job] = Field(description="Accepted jobs, in the order of their items.")
    refused: list[RefusedJob] = Field(
        [],
        description="Items that passed the checks but were refused, for example because the API key has too many unfinished jobs.",
    )


async def submit_each(submissions: Sequence[Callable[[], Awaitable[Job]]], response: Response) -> Batch:
    """Start the jobs of a batch one after the other.

    A refusal is part of the answer, whose `response` gets the largest Retry-After. If all items are refused, raises the first refusal.
    """
    jobs: list[Job] = []
    refusals: dict[int, ReelwrightError] = {}
    for index, start in enumerate(submissions):
        try:
            jobs.append(await start())
        except ReelwrightError as error:
            refusals[index] = error
    if refusals and not jobs:
        raise refusals[0]
    if pauses := [int(text) for error in refusals.values() if (text := error.headers.get("Retry-After", "")).isdecimal()]:
        response.headers["Retry-After"] = str(max(pauses))
    refused = [RefusedJob(index=index, problem=Problem.model_validate(error.problem())) for index, error in refusals.items()]
    return Batch(jobs=jobs, refused=refused)


def item_key(key: str | None, index: int) -> str | None:
    """Derive the idempotency key of a batch item from the batch's key.

    None if the batch has none.
    """
    if key is None:
        return None
    complete = f"{key}/{index}"
    return complete if len(complete) <= LONGEST_KEY else f"{hashlib.sha256(key.encode()).hexdigest()}/{index}"
