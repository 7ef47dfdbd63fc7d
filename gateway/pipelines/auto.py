"""Inputs given as "auto": the gateway makes them first, by a step of its own."""

from collections.abc import Mapping
from typing import Any

from gateway.pipelines.steps import Step
from shared.errors import Invalid
from shared.operation import AUTO


def asks_for_auto(inputs: Mapping[str, Any]) -> bool:
    """Return whether an input is "auto"."""
    return any(given == AUTO for given in inputs.values())


def maker_of(step: Step, name: str, declarations: Mapping[str, dict[str, Any]]) -> tuple[str, str]:
    """Return the operation and the output that make an input, as its declaration says.

    `declarations`: operations by name, as `GET /operations` lists them. Raises Invalid for an input that cannot be made.
    """
    made_by = declarations[step.operation]["inputs"].get(name, {}).get("auto", "")
    if not made_by:
        able = [other for other, port in declarations[step.operation]["inputs"].items() if port.get("auto")]
        known = f"Inputs that can be: {', '.join(able)}." if able else "No input of this operation can be."
        raise _refused(name, f"{name!r} cannot be made by itself. {known} Give a media id")
    operation, _, output = made_by.rpartition(".")
    return operation, output


def step_that_makes(step: Step, name: str, operation: str, declaration: Mapping[str, Any], number: int) -> Step:
    """Return the step that makes an input of `step`.

    It gets those inputs of `step` that it needs under the same names. `declaration`: of `operation`; `number` keeps its name unique.
    """
    inputs = {port: step.inputs.get(port) for port, about in declaration["inputs"].items() if not about["optional"]}
    missing = [port for port, given in inputs.items() if given is None]
    if missing:
        raise _refused(name, f"{operation} makes it from {', '.join(missing)}, which is not given")
    return Step(id=f"auto-{name}-{number}".replace("_", "-"), operation=operation, inputs=inputs, params={})


def _refused(name: str, detail: str) -> Invalid:
    return Invalid(f"inputs.{name}: {detail}.", errors=[{"field": f"inputs.{name}", "detail": detail}])
