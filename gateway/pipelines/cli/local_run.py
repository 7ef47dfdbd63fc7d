"""Validation and running of pipelines on local files, without a server."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.pipelines.check import check_steps
from gateway.pipelines.cli.run_memory import FinishedStep, RunMemory
from gateway.pipelines.references import ids_in, map_ids, references, value_at
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Upstreams
from shared.cli.operation import made_inputs, run_locally, true_suffix
from shared.cli.temporary_folders import temporary_folder
from shared.errors import OperationFailed, ReelwrightError
from shared.file_calls import FileRequest
from shared.http.operations.check import PENDING
from shared.http.service import create_service
from shared.jobs.record import InputValue
from shared.keys import KeyRing
from shared.operation import SUFFIXES, Operation, Params, Service
from shared.runtime import Runtime
from shared.settings import Settings
from shared.video import inspect


@dataclass(frozen=True)
class LocalServices(Upstreams):
    """Variant of Upstreams that calls the services' HTTP apps in this process.

    An input may be the absolute path of a file; the services check only its kind.
    """

    kinds: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, services: Sequence[Service], settings: Settings) -> "LocalServices":
        """Create the HTTP apps of `services`, and their clients.

        Nothing is stored and no job starts: only their lists of operations and their checks are used.
        """
        runtime = Runtime(settings, keys=KeyRing(settings, ignored=True))
        return cls({service.name: _client(service, runtime) for service in services})

    async def ask(self, service: str, method: str, path: str, *, json: Any = None, **more: Any) -> Any:
        """Send a request to a service's app and return the answer.

        The service gets the kind of each file in place of its path.
        """
        if json is not None:
            json = json | {"inputs": {name: map_ids(ids, self._stand_in) for name, ids in json["inputs"].items()}}
        return await super().ask(service, method, path, json=json, **more)

    def _stand_in(self, source: str) -> str:
        if not source.startswith("/"):
            return source
        if source not in self.kinds:
            self.kinds[source] = str(inspect(FileRequest(path=source), None).kind)
        return f"{PENDING}{self.kinds[source]}"


def check_locally(steps: Sequence[Step], services: Sequence[Service], settings: Settings) -> list[Step]:
    """Check all steps as the gateway does; return them with default params filled in.

    The steps that make "auto" inputs are added, too. Inputs are absolute paths, or outputs of earlier steps. Raises the errors of
    `check_steps`.
    """
    operations = {operation.name: operation for service in services for operation in service.operations}
    named = [operations[step.operation] for step in steps if step.operation in operations]
    makers = {port.auto.partition(".")[0] for operation in named for port in operation.ports.values() if port.auto}
    needed = {operation.service for operation in named} | makers

    async def checked() -> list[Step]:
        local = LocalServices.of([service for service in services if service.name in needed], settings)
        try:
            return (await check_steps(local, steps, headers={})).steps
        finally:
            await local.close()

    return asyncio.run(checked())


def run_steps(
    steps: Sequence[Step], operations: Mapping[str, Operation], folder: Path, begins: Callable[[int, Step], None]
) -> Iterator[tuple[Step, FinishedStep]]:
    """Run checked steps in order.

    Yields each step with its result and files. Outputs go into `folder`, as `<step>.<output>` with the suffix of their format. `begins` is
    called with the number of a step before it runs. A step that equals an earlier one is not run again, and measurements of a clip are
    shared. Raises OperationFailed, naming the step; the outputs of earlier steps stay.
    """
    finished: dict[str, FinishedStep] = {}
    with temporary_folder() as measured:
        memory = RunMemory(measured)
        for number, step in enumerate(steps):
            begins(number, step)
            operation = operations[step.operation]
            outputs = {name: folder / f"{step.id}.{name}{SUFFIXES[kind]}" for name, kind in operation.outputs.items()}
            try:
                values = {name: value_at(finished[source].result, path, source) for name, (source, path) in references(step.params).items()}
                params = operation.params.model_validate(step.params | values)
                inputs = {name: _paths(step.inputs.get(name), finished, many=port.many) for name, port in operation.ports.items()}
                finished[step.id] = _run(memory, operation, params, inputs, folder, outputs, operations.get)
            except (ReelwrightError, ValueError) as error:
                detail = error.detail if isinstance(error, ReelwrightError) else str(error)
                raise OperationFailed(f"Step {step.id!r} ({step.operation}): {detail}") from error
            yield step, finished[step.id]


def _run(
    memory: RunMemory,
    operation: Operation,
    params: Params,
    inputs: dict[str, Any],
    folder: Path,
    outputs: dict[str, Path],
    find: Callable[[str], Operation | None],
) -> FinishedStep:
    """Run a step, or reuse the result of an equal step.

    `find`: returns an operation by its name, for inputs that an operation makes first.
    """
    earlier = memory.find(operation, params, inputs, outputs)
    if earlier is not None:
        return earlier
    with temporary_folder(folder) as part, made_inputs(operation, params, inputs, find) as complete:
        paths = {name: part / path.name for name, path in outputs.items()}
        result = run_locally(operation, params, complete | memory.measurements(operation, params, inputs), paths)
        parts = {name: path for name, path in paths.items() if path.is_file()}
        files = {name: path.replace(outputs[name].with_suffix(true_suffix(path))) for name, path in parts.items()}
    finished = FinishedStep(result, files)
    memory.keep(operation, params, inputs, finished)
    return finished


def _client(service: Service, runtime: Runtime) -> httpx.AsyncClient:
    app = create_service(service, runtime, reachable_by_browsers=False)
    return httpx.AsyncClient(base_url=f"http://{service.name}", transport=httpx.ASGITransport(app=app))


def _paths(source: InputValue, finished: Mapping[str, FinishedStep], *, many: bool) -> Path | list[Path] | None:
    """Return the paths of the files that the input `source` names.

    `finished`: step id -> finished step, whose outputs `source` may name.
    """

    def path(text: str) -> Path:
        step, _, output = text.partition(".")
        if text.startswith("/") or step not in finished:
            return Path(text)
        if output not in finished[step].files:
            raise OperationFailed(f"the step {step!r} wrote no {output}")
        return finished[step].files[output]

    if source is None:
        return None
    paths = [path(text) for text in ids_in(source)]
    return paths if many else paths[0]
