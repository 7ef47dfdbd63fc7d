"""Steps that the gateway adds to make inputs given as "auto".

The matte of a clip is such an input: if it is "auto", a step that makes it from the clip runs first.
"""

from collections.abc import Mapping
from typing import Any

from gateway.pipelines.steps import Step
from shared.errors import Invalid
from shared.http.operations.description import OperationInfo
from shared.operation import AUTO, params_of_maker


def asks_for_auto(inputs: Mapping[str, Any]) -> bool:
    """Return whether any input is "auto"."""
    return any(value == AUTO for value in inputs.values())


def maker_of(operation: str, name: str, declarations: Mapping[str, OperationInfo]) -> tuple[str, str]:
    """Return the operation and output that make an "auto" input.

    The declaration of the input `name` of `operation` names both. `declarations`: operations by name, as `GET /operations` lists them.
    Raises Invalid for an input that cannot be "auto".
    """
    inputs = declarations[operation].inputs if operation in declarations else {}
    made_by = inputs[name].auto if name in inputs else None
    if not made_by:
        names = [input_name for input_name, port in inputs.items() if port.auto]
        alternatives = f'Inputs that can be "auto": {", ".join(names)}.' if names else 'No input of this operation can be "auto".'
        raise _refused(name, f'{name!r} cannot be "auto". {alternatives} Give a media id')
    maker, _, output = made_by.rpartition(".")
    return maker, output


def required_inputs(declaration: OperationInfo) -> list[str]:
    """Return the names of an operation's inputs that are not optional."""
    return [name for name, port in declaration.inputs.items() if not port.optional]


def step_that_makes(step: Step, name: str, operation: str, declaration: OperationInfo, number: int) -> Step:
    """Return a new step of `operation` that makes the input `name` of `step`.

    The new step takes its required inputs from the inputs of `step` with the same names, and makes only the part that `step` uses.
    `declaration`: of `operation`. `number`: makes the id of the new step unique. Raises Invalid if `step` lacks one of these inputs.
    """
    inputs = {port: step.inputs.get(port) for port in required_inputs(declaration)}
    missing = [port for port, media_id in inputs.items() if media_id is None]
    if missing:
        raise _refused(name, f'"auto" runs {operation}, which needs {", ".join(missing)}: give this input, too')
    return Step(
        id=made_id(name, number),
        operation=operation,
        inputs=inputs,
        params=params_of_maker(step.params, declaration.params["properties"]),
    )


def made_id(name: str, number: int) -> str:
    """Return the id of the step that makes the input `name`.

    `number` makes the id unique.
    """
    return f"auto-{name}-{number}".replace("_", "-")


def _refused(name: str, detail: str) -> Invalid:
    return Invalid.field(f"inputs.{name}", detail)
