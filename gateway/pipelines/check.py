"""Checks of pipelines: every step is validated by its service before the first one starts."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from gateway.pipelines.references import check_path, references, stand_in
from gateway.pipelines.steps import PipelineChecked, Step
from gateway.routing.upstream import Refused, Upstreams
from shared.errors import Invalid, UnknownOperation

OPERATION_NAME = re.compile(r"[a-z-]+\.[a-z-]+")
OUTPUT_REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]*)\.([a-z_]+)")

Declaration = dict[str, Any]
"""An operation as `GET /operations` of its service lists it."""


async def check_steps(upstreams: Upstreams, steps: Sequence[Step], *, headers: Mapping[str, str]) -> PipelineChecked:
    """Validate all steps and fill in their defaults. Runs nothing.

    `headers`: credentials of the owner. Raises the first refusal (Refused, UnknownOperation, Unavailable), naming the step.
    """
    kinds: dict[str, str] = {}  # of the outputs so far: "step.output" -> kind
    checked: list[Step] = []
    operations: dict[str, Declaration] = {}  # of the services so far: each service is asked once
    for number, step in enumerate(steps):
        where = f"steps.{number}"
        if any(step.id == earlier.id for earlier in checked):
            raise Invalid(f"{where}.id: {step.id!r} is already the name of an earlier step.", errors=[_error(f"{where}.id", "not unique")])
        if not OPERATION_NAME.fullmatch(step.operation) or step.service not in upstreams.clients:
            raise _unknown_operation(step, where)
        inputs = {name: map_ids(ids, partial(_input_to_check, kinds, f"{where}.inputs.{name}")) for name, ids in step.inputs.items()}
        try:
            if step.operation not in operations:
                listed = await upstreams.ask(step.service, "GET", "/operations", headers=headers)
                operations |= {declaration["name"]: declaration for declaration in listed}
            if step.operation not in operations:
                raise _unknown_operation(step, where)
            pending = _pending_params(step, checked, operations)
            body = {"inputs": inputs, "params": step.params | pending}
            answer = await upstreams.ask(step.service, "POST", f"/{step.verb}/check", headers=headers, json=body)
        except (Refused, Invalid) as refusal:
            raise _in_step(refusal, where, step) from None
        kinds |= {f"{step.id}.{name}": kind for name, kind in operations[step.operation]["outputs"].items()}
        params = answer["params"] | {name: step.params[name] for name in pending}
        checked.append(step.model_copy(update={"params": params}))
    return PipelineChecked(steps=checked)


def map_ids(ids: str | list[str] | None, change: Callable[[str], str]) -> str | list[str] | None:
    """Apply `change` to the id, or to each id of the list, that an input has."""
    if ids is None:
        return None
    return [change(media_id) for media_id in ids] if isinstance(ids, list) else change(ids)


def _input_to_check(kinds: Mapping[str, str], where: str, given: str) -> str:
    """Turn `step.output` into the placeholder `pending:<kind>` that `check` takes; return a media id unchanged."""
    if given in kinds:
        return f"pending:{kinds[given]}"
    if OUTPUT_REFERENCE.fullmatch(given):
        known = f"Outputs of earlier steps: {', '.join(sorted(kinds))}." if kinds else "No earlier step has outputs."
        detail = f"{given!r} is not an output of an earlier step. {known}"
        raise Invalid(f"{where}: {detail}", errors=[_error(where, detail)])
    return given


def _pending_params(step: Step, earlier: Sequence[Step], operations: Mapping[str, Declaration]) -> dict[str, Any]:
    """Return a stand-in value for each param that refers to the result of an earlier step."""
    schema = operations[step.operation]["params"]
    earlier_operations = {other.id: other.operation for other in earlier}
    pending = {}
    for name, (source, path) in references(step.params).items():
        if source not in earlier_operations:
            before = f"earlier steps: {', '.join(earlier_operations)}" if earlier_operations else "this is the first step"
            detail = f"there is no earlier step {source!r}; {before}"
            raise Invalid(f"params.{name}: {detail}.", errors=[_error(f"params.{name}", detail)])
        check_path(name, path, source, operations[earlier_operations[source]]["result"])
        pending[name] = stand_in(schema["properties"].get(name, {}), schema)
    return pending


def _unknown_operation(step: Step, where: str) -> UnknownOperation:
    detail = f"no operation is called {step.operation[:64]!r}; GET /v1/operations lists them"
    return UnknownOperation(f"{where}.operation: {detail}.", errors=[_error(f"{where}.operation", detail)])


def _in_step(refusal: Refused | Invalid, where: str, step: Step) -> Refused:
    """Return the refusal with the step's name in its detail and the step's path before each field."""
    problem = refusal.problem()
    errors = [{**error, "field": f"{where}.{error['field']}"} for error in problem.get("errors", [])]
    detail = f"Step {step.id!r} ({step.operation}): {problem.get('detail')}"
    return Refused({**problem, "detail": detail, **({"errors": errors} if errors else {})}, refusal.status)


def _error(field: str, detail: str) -> dict[str, str]:
    return {"field": field, "detail": detail}
