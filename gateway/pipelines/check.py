"""Validation of pipelines before their first step starts.

Each service validates the steps that run its operations.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from gateway.pipelines.auto_inputs import made_id, maker_of, step_that_makes
from gateway.pipelines.references import OUTPUT_REFERENCE, as_json, check_reference, map_ids, references, stand_in
from gateway.pipelines.steps import PipelineChecked, Step
from gateway.routing.upstream import Refused, Upstreams, refused_at
from shared.errors import Invalid, UnknownOperation
from shared.http.operations.check import PENDING
from shared.http.operations.description import OPERATION_LIST, OperationInfo
from shared.operation import AUTO

OPERATION_NAME = re.compile(r"[a-z-]+\.[a-z-]+")


async def check_steps(
    upstreams: Upstreams, steps: Sequence[Step], *, headers: Mapping[str, str], declarations: Mapping[str, OperationInfo] | None = None
) -> PipelineChecked:
    """Validate all steps of a pipeline; return them with default params filled in.

    No step is run. `headers`: credentials of the owner. `declarations`: operations that are known already, by name.

    Raises the first refusal (Invalid, Refused, UnknownOperation, Unavailable), naming the step.
    """
    checking = _Checking(upstreams, headers, {step.id for step in steps}, declarations or {})
    for number, step in enumerate(steps):
        where = f"steps.{number}"
        if any(step.id == earlier.id for earlier in checking.checked):
            raise Invalid.field(f"{where}.id", f"{step.id!r} is already the name of an earlier step")
        await checking.add(step, where)
    return PipelineChecked(steps=checking.checked)


class _Checking:
    """State of a check in progress: checked steps, their operations and outputs."""

    def __init__(
        self, upstreams: Upstreams, headers: Mapping[str, str], ids: Collection[str], declarations: Mapping[str, OperationInfo]
    ) -> None:
        self._upstreams, self._headers, self._ids = upstreams, headers, ids
        self._kinds: dict[str, str] = {}  # "step.output" -> kind
        self._declarations = dict(declarations)  # operation name -> declaration; one request per service
        self._added: list[Step] = []  # added steps, which make "auto" inputs
        self.checked: list[Step] = []

    async def add(self, step: Step, where: str) -> None:
        """Check a step and its "auto" inputs; add them to `checked`.

        The steps that make the inputs are added.
        """
        await self._declare(step, where)
        try:
            makers = await self._auto_inputs(step, where)
        except Invalid as refusal:
            raise _in_step(refusal, where, step) from None
        # The step's own faults come before those of the steps that are added to it.
        pending_inputs = step.inputs | {name: f"{PENDING}{maker.kind}" for name, maker in makers.items()}
        inputs = {
            name: map_ids(ids, partial(_input_to_check, self._kinds, f"{where}.inputs.{name}")) for name, ids in pending_inputs.items()
        }
        try:
            pending = _pending_params(step, self.checked, self._declarations)
            body = {"inputs": as_json(inputs), "params": step.params | pending}
            answer = await self._upstreams.ask(step.service, "POST", f"/{step.verb}/check", headers=self._headers, json=body)
        except (Refused, Invalid) as refusal:
            raise _in_step(refusal, where, step) from None
        outputs = {name: await self._make(maker, where) for name, maker in makers.items()}
        self._kinds |= {f"{step.id}.{name}": kind for name, kind in self._declarations[step.operation].outputs.items()}
        params = answer["params"] | {name: step.params[name] for name in pending}
        self.checked.append(step.model_copy(update={"inputs": step.inputs | outputs, "params": params}))

    async def _declare(self, step: Step, where: str) -> None:
        """Fetch the declaration of a step's operation from its service, unless it is known.

        Raises UnknownOperation.
        """
        if not OPERATION_NAME.fullmatch(step.operation) or step.service not in self._upstreams.clients:
            raise _unknown_operation(step, where)
        if step.operation not in self._declarations:
            try:
                operations = await self._upstreams.ask(step.service, "GET", "/operations", headers=self._headers)
            except Refused as refusal:
                raise _in_step(refusal, where, step) from None
            self._declarations |= {declaration.name: declaration for declaration in OPERATION_LIST.validate_python(operations)}
        if step.operation not in self._declarations:
            raise _unknown_operation(step, where)

    async def _auto_inputs(self, step: Step, where: str) -> dict[str, "_Maker"]:
        """Return the maker of each "auto" input, by input name.

        A maker is a step that is not checked yet, with the output to use.
        """
        makers = {}
        for name in [name for name, value in step.inputs.items() if value == AUTO]:
            operation, output = maker_of(step.operation, name, self._declarations)
            await self._declare(Step(id="auto", operation=operation), f"{where}.inputs.{name}")
            declaration = self._declarations[operation]
            number = next(number for number in count(len(self.checked)) if made_id(name, number) not in self._ids)
            maker = step_that_makes(step, name, operation, declaration, number)
            makers[name] = _Maker(maker, output, declaration.outputs[output])
        return makers

    async def _make(self, maker: "_Maker", where: str) -> str:
        """Check the maker of an "auto" input.

        Returns a reference to its output. Inputs that need the same operation with the same inputs and params share the step.
        """
        for earlier in self._added:
            if (earlier.operation, earlier.inputs, earlier.params) == (maker.step.operation, maker.step.inputs, maker.step.params):
                return f"{earlier.id}.{maker.output}"
        await self.add(maker.step, where)
        self._added.append(maker.step)
        return f"{maker.step.id}.{maker.output}"


@dataclass(frozen=True, slots=True)
class _Maker:
    """A step that makes an "auto" input, with the output's name and media kind."""

    step: Step
    output: str
    kind: str


def _input_to_check(kinds: Mapping[str, str], where: str, source: str) -> str:
    """Return the stand-in `pending:<kind>` for a reference `step.output`, and a media id unchanged.

    The `check` route of a service accepts this stand-in. `source`: a media id or a reference. `kinds`: media kind by `step.output`. Raises
    Invalid for an output that no earlier step has.
    """
    if source in kinds:
        return f"pending:{kinds[source]}"
    if OUTPUT_REFERENCE.fullmatch(source):
        hint = f"Outputs of earlier steps: {', '.join(sorted(kinds))}." if kinds else "No earlier step has outputs."
        detail = f"{source!r} is not an output of an earlier step. {hint}"
        raise Invalid.field(where, detail, f"{where}: {detail}")
    return source


def _pending_params(step: Step, earlier: Sequence[Step], operations: Mapping[str, OperationInfo]) -> dict[str, Any]:
    """Return a stand-in value for each param that is a reference.

    A reference takes its value from the result of an earlier step, which does not exist yet.
    """
    schema = operations[step.operation].params
    earlier_operations = {earlier_step.id: earlier_step.operation for earlier_step in earlier}
    pending = {}
    for name, (source, path) in references(step.params).items():
        if source not in earlier_operations:
            before = f"earlier steps: {', '.join(earlier_operations)}" if earlier_operations else "this is the first step"
            detail = f"there is no earlier step {source!r} ({before})"
            raise Invalid.field(f"params.{name}", detail)
        param = schema["properties"].get(name, {})
        check_reference(name, path, source, operations[earlier_operations[source]].result, param, schema)
        pending[name] = stand_in(param, schema)
    return pending


def _unknown_operation(step: Step, where: str) -> UnknownOperation:
    detail = f"no operation is called {step.operation[:64]!r}; GET /v1/operations lists them"
    return UnknownOperation.field(f"{where}.operation", detail)


def _in_step(refusal: Refused | Invalid, where: str, step: Step) -> Refused:
    """Return `refusal` with the refused step named in its detail and fields.

    The detail starts with the id of the step, and each field with the path `where`.
    """
    return refused_at(where, refusal, f"Step {step.id!r} ({step.operation}): {refusal.problem().get('detail')}")
