"""Dependencies between the steps of a pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.pipelines.references import OUTPUT_REFERENCE, ids_in, map_ids, references, value_at
from gateway.pipelines.steps import Step
from shared.errors import Invalid


def needs(step: Step) -> set[str]:
    """Return the ids of the steps that a step depends on."""
    outputs = {match[1] for source in media_ids(step) if (match := OUTPUT_REFERENCE.fullmatch(source))}
    return outputs | {source for source, _ in references(step.params).values()}


def media_ids(step: Step) -> Iterable[str]:
    """Yield each media id and each reference `step.output` among a step's inputs."""
    for ids in step.inputs.values():
        yield from filter(None, ids_in(ids))


def resolve_references(step: Step, outputs: Mapping[str, dict[str, Any]], results: Mapping[str, Any]) -> Step:
    """Return a step with its references replaced by media ids and result values.

    `outputs`: `step.output` -> media record. `results`: step id -> result. References to other steps stay. Raises Invalid if a result lacks
    the value, or if a step did not write the output.
    """

    def media_id(reference: str) -> str:
        if reference in outputs:
            return str(outputs[reference]["id"])
        source, _, output = reference.partition(".")
        if source in results:
            raise Invalid(f"Step {source!r} succeeded without writing its output {output!r}.")
        return reference

    inputs = {name: map_ids(ids, media_id) for name, ids in step.inputs.items()}
    values = {
        name: value_at(results[source], path, source) for name, (source, path) in references(step.params).items() if source in results
    }
    return step.model_copy(update={"inputs": inputs, "params": step.params | values})
