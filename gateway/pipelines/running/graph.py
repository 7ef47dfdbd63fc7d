"""Dependencies between the steps of a pipeline."""

from collections.abc import Iterable, Mapping

from gateway.pipelines.references import OUTPUT_REFERENCE, ids_in, map_ids, references, value_at
from gateway.pipelines.steps import Step
from shared.errors import Invalid
from shared.jobs import Job


def needs(step: Step) -> set[str]:
    """Return the ids of the steps that a step depends on."""
    outputs = {match[1] for source in media_ids(step) if (match := OUTPUT_REFERENCE.fullmatch(source))}
    return outputs | {source for source, _ in references(step.params).values()}


def media_ids(step: Step) -> Iterable[str]:
    """Yield each media id and each reference `step.output` among a step's inputs."""
    for ids in step.inputs.values():
        yield from filter(None, ids_in(ids))


def resolve_references(step: Step, jobs: Mapping[str, Job]) -> Step:
    """Return a step with its references replaced by media ids and result values.

    `jobs`: step id -> its succeeded job. References to other steps stay. Raises Invalid if a result lacks the value, or if a step did not
    write the output.
    """

    def media_id(reference: str) -> str:
        source, _, output = reference.partition(".")
        if source not in jobs:
            return reference
        if output not in jobs[source].outputs:
            raise Invalid(f"Step {source!r} succeeded without writing its output {output!r}.")
        return jobs[source].outputs[output].id

    inputs = {name: map_ids(ids, media_id) for name, ids in step.inputs.items()}
    values = {
        name: value_at(jobs[source].result, path, source) for name, (source, path) in references(step.params).items() if source in jobs
    }
    return step.model_copy(update={"inputs": inputs, "params": step.params | values})
