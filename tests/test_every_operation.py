"""Contract of every operation: all interfaces follow its declaration.

REST, command line, pipeline, form and example.
"""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reelwright import ROOMS
from shared.cli.operation import _params
from shared.http.operations.description import describe, example_body
from shared.http.params_text import params_from_text
from shared.operation import SUFFIXES, Operation
from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite
from shared.video import ffmpeg_path
from shared.worker.operation_run import output_arguments
from shared.worker.processes.environment import HEAPS
from shared.worker.progress import Report
from shared.worker.protocol import ProgressUpdate, Update
from tests.cyclic_garbage import cyclic_garbage
from tests.repeated_runs import example_arguments

OPERATIONS = [operation for room in ROOMS for operation in room.service.operations]
NEED_WEIGHTS = {"background.generate": "reelwright models pull sd15-inpainting"}
"""Operations that need weights, and the command in their refusals. Tests do not have the weights."""

RUNNABLE = [operation for operation in OPERATIONS if operation.name not in NEED_WEIGHTS]
each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
each_that_runs = pytest.mark.parametrize("operation", RUNNABLE, ids=lambda operation: operation.name)
ROOT = Path(__file__).parent.parent
RUNS = 5
QUICK = {"keyframes.detect", "media.strip", "speed-ramp.analyze", "speed-ramp.plan", "speed-ramp.render"}
"""Operations whose memory is checked in every test run. The others take longer (`make test-all`)."""

WARM_AFTER_TWO = {"speed-ramp.export"}
"""Operations whose threads use a second heap only from their second run on. This takes about 13 MiB, once.

With one heap for all threads, five runs of the export took 175, 175, 175, 175 and 174 MiB; with two, 177, then 188 in each run.
"""


def as_text(operation: Operation) -> dict[str, str]:
    """Return the params of an operation's example as text.

    Command lines and forms take such text.
    """
    values = operation.example.model_dump(mode="json", exclude_none=True)
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


@each
def test_run_takes_exactly_the_declared_files(operation):
    parameters = inspect.signature(operation.run).parameters.values()
    names = {parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    measurements = {operation.measurement.name} if operation.measurement else set()
    assert names == {*operation.inputs, *output_arguments({name: Path(name) for name in operation.outputs}), *measurements, "progress"}


@each
def test_every_field_has_a_description(operation):
    for model in (operation.params, operation.result):
        missing = [name for name, field in model.model_fields.items() if not field.description]
        assert not missing, f"{model.__name__}: {missing}"


@each
def test_forms_are_declared(operation):
    about = describe(operation)
    assert operation.title
    assert len(operation.title) <= 20
    groups = []
    for name, schema in about.params["properties"].items():
        field = operation.params.model_fields[name]
        assert field.title, name
        groups.append(schema["group"])
        values = schema.get("enum") or schema.get("items", {}).get("enum")
        assert not values or set(schema["labels"]) == set(values), name
    assert set(groups) <= {"basics", "more", "expert"}
    assert 1 <= groups.count("basics") <= 5
    for port in about.inputs.values():
        assert port.title
        operation.params.model_validate(operation.example.model_dump() | (port.sets or {}))
    assert set(about.output_roles) <= set(about.outputs)
    roles = [schema["role"] for schema in about.result["properties"].values() if "role" in schema]
    assert len(roles) == len(set(roles))
    video = any("video" in port.kinds for port in about.inputs.values())
    assert (about.preview in ("part", "cut", "whole")) == video


@each
def test_text_gives_the_same_params_as_json(operation):
    fields = {f"param_{name}": text for name, text in as_text(operation).items()}
    assert params_from_text(operation.params, as_text(operation)) == _params(operation, fields) == operation.example


@each_that_runs
def test_the_example_runs_as_a_plain_function(operation, samples, tmp_path):
    updates: list[Update] = []
    arguments = example_arguments(operation, samples, tmp_path)
    with cyclic_garbage() as garbage:
        result = operation.run(operation.example, **arguments, progress=Report(updates.append))
    assert not garbage, "pictures stay in memory until the garbage collector runs"
    assert isinstance(result, operation.result)
    assert all((tmp_path / f"{name}{SUFFIXES[kind]}").stat().st_size > 0 for name, kind in operation.outputs.items())
    fractions = [update.fraction for update in updates if isinstance(update, ProgressUpdate)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1, abs=0.02)


@pytest.fixture(scope="session")
def large_files(tmp_path_factory) -> list[str]:
    """Write clips and a picture of 1280x720; return arguments such as "clip=<path>".

    They are so large that frames which are never freed show in the peak memory: if a reference cycle keeps each closed encoder, renders
    take 280, then 389 MiB.
    """
    folder = tmp_path_factory.mktemp("large")
    clip, picture, matte = folder / "clip.mp4", folder / "picture.png", folder / "matte.mp4"
    ffmpeg = [ffmpeg_path(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=2"]
    subprocess.run([*ffmpeg, "-f", "lavfi", "-i", "sine=d=2", "-c:v", "libx264", "-preset", "ultrafast", str(clip)], check=True)
    subprocess.run([*ffmpeg, "-frames:v", "1", str(picture)], check=True)
    subject = "drawbox=x=500:y=100:w=200:h=500:color=white:t=fill"
    gray = [ffmpeg_path(), "-loglevel", "error", "-f", "lavfi", "-i", f"color=black:s=1280x720:r=25:d=2,{subject}"]
    subprocess.run([*gray, "-c:v", "libx264", "-preset", "ultrafast", str(matte)], check=True)
    return [f"clip={clip}", f"picture={picture}", f"matte={matte}", f"plate={picture}"]


@pytest.mark.skipif(sys.platform != "linux", reason="the peak memory is read from /proc")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(operation.name, marks=() if operation.name in QUICK else [pytest.mark.slow, pytest.mark.timeout(400)])
        for operation in RUNNABLE
    ],
)
def test_memory_does_not_grow_from_run_to_run(name, large_files, tmp_path):
    """No run takes a tenth more memory than the first run. For WARM_AFTER_TWO, runs are compared with the second run."""
    command = [sys.executable, "-m", "tests.repeated_runs", name, str(tmp_path), str(RUNS), *large_files]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS}, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    peaks = json.loads(done.stdout)
    assert len(peaks) == RUNS
    first, *others = peaks[1:] if name in WARM_AFTER_TWO else peaks
    assert max(others) <= 1.1 * first, [f"{peak / 2**20:.0f} MiB" for peak in peaks]


@each_that_runs
def test_the_example_runs_over_http_unchanged(operation, running: RunningSuite):
    answer = running.client.post(describe(operation).urls["jobs"], json=example_body(operation), headers={"Prefer": "wait=60"})
    job = answer.json()
    assert answer.status_code == 200, job
    assert job["status"] == "succeeded", job["error"]
    operation.result.model_validate(job["result"])
    assert set(job["outputs"]) == set(operation.outputs)
    assert job["progress"]["fraction"] == 1
    assert job["params"] == operation.example.model_dump(mode="json")
    assert job["version"] == describe(operation).version == operation.version


@each
def test_the_swagger_example_is_the_one_that_runs(operation, running: RunningSuite):
    document = running.client.get("/openapi.json").json()
    body = document["paths"][describe(operation).urls["jobs"]]["post"]["requestBody"]["content"]["application/json"]
    assert body["examples"]["example"]["value"] == example_body(operation)


@each_that_runs
def test_check_fills_in_defaults_and_runs_nothing(operation, running: RunningSuite):
    before = len(running.client.get("/v1/jobs", params={"limit": 500}).json()["items"])
    answer = running.client.post(describe(operation).urls["check"], json=example_body(operation))
    assert answer.status_code == 200, answer.text
    assert answer.json()["params"] == operation.example.model_dump(mode="json")
    assert len(running.client.get("/v1/jobs", params={"limit": 500}).json()["items"]) == before


@each_that_runs
def test_a_pipeline_takes_the_operation_as_a_step(operation, running: RunningSuite):
    step = {"id": "only", "operation": operation.name, **example_body(operation)}
    answer = running.client.post("/v1/pipelines/check", json={"steps": [step]})
    assert answer.status_code == 200, answer.text


@each
def test_wrong_inputs_are_refused_by_name(operation, running: RunningSuite):
    url = describe(operation).urls["jobs"]
    body = example_body(operation)
    missing = running.client.post(url, json=body | {"inputs": {}})
    assert missing.status_code == 422
    needed = {name for name, port in operation.ports.items() if not port.optional or name in operation.needs[:1]}
    assert {error["field"] for error in missing.json()["errors"]} >= {f"inputs.{name}" for name in needed}
    unknown = running.client.post(url, json=body | {"params": body["params"] | {"no_such_param": 1}})
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["field"] == "params.no_such_param"
    nowhere = running.client.post(url, json=body | {"inputs": dict.fromkeys(body["inputs"], "7" * 26)})
    assert nowhere.status_code == 404
    assert nowhere.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "operation",
    [pytest.param(operation, marks=pytest.mark.slow if operation.name == "matting.compare" else ()) for operation in RUNNABLE],
    ids=lambda operation: operation.name,
)
def test_the_command_line_runs_the_example(operation, samples, tmp_path):
    paths = {sample: str(path) for sample, path in samples.items()}
    ports = operation.example_inputs.items()
    files = [part for name, port in ports for part in ((f"--{name}", paths[port.sample]) if port.optional else (paths[port.sample],))]
    outputs = [tmp_path / "made" / f"{name}{SUFFIXES[kind]}" for name, kind in operation.outputs.items()]
    if len(outputs) == 1:
        outputs = [tmp_path / outputs[0].name]
    target = [str(outputs[0] if len(outputs) == 1 else tmp_path / "made")] if outputs else []
    flags = [part for name, text in as_text(operation).items() for part in (f"--{name.replace('_', '-')}", text)]
    command = [sys.executable, "-m", "reelwright", operation.service, operation.verb, *files, *target, *flags, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    result = operation.result.model_validate_json(done.stdout)
    prefix = operation.file_prefix(result) if operation.file_prefix is not None and len(outputs) > 1 else ""
    assert all(path.with_name(f"{prefix}{path.name}").stat().st_size > 0 for path in outputs)


@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.name in NEED_WEIGHTS], ids=lambda operation: operation.name
)
def test_an_example_without_its_weights_is_refused_with_the_command(operation, running: RunningSuite):
    answer = running.client.post(describe(operation).urls["check"], json=example_body(operation))
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/model-missing"
    assert NEED_WEIGHTS[operation.name] in answer.json()["detail"]


@each
def test_the_readme_mentions_the_operation(operation):
    text = (ROOT / "README.md").read_text()
    assert operation.name in text


def test_operations_are_listed_over_all_services(running: RunningSuite):
    listed = {operation["name"]: operation for operation in running.client.get("/v1/operations").json()}
    assert set(listed) == {operation.name for operation in OPERATIONS}
    assert all(entry["available"] for name, entry in listed.items() if name not in NEED_WEIGHTS)
    assert all(entry["example"]["inputs"] for entry in listed.values())


def test_names_of_operations_are_unique_and_belong_to_their_service():
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert all(operation.service == room.name for room in ROOMS for operation in room.service.operations)


def test_the_sample_clip_exists(running: RunningSuite):
    assert running.client.get(f"/v1/media/{SAMPLE_ID}").json()["media"]["frames"] == 180
