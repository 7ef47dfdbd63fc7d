"""Reading of pipeline files, and of the options that fill them in.

A file holds the body of `POST /v1/pipelines/jobs` as YAML or JSON.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gateway.pipelines.presets.table import PRESETS
from gateway.pipelines.steps import PipelineRequest, Step
from shared.cli.files import is_url
from shared.errors import Invalid
from shared.http.params_text import detail_of


def load_pipeline(source: str) -> PipelineRequest:
    """Load the pipeline in the file `source`, or the preset named `source`.

    Raises Invalid, naming each wrong field.
    """
    path = Path(source)
    if not path.is_file():
        preset = next((preset for preset in PRESETS if preset.name == source), None)
        if preset is None:
            raise Invalid(f"{source} is neither a file nor a preset. Presets: {', '.join(preset.name for preset in PRESETS)}.")
        return PipelineRequest(steps=[Step.model_validate(step) for step in preset.steps])
    try:
        content = yaml.safe_load(path.read_text())
        return PipelineRequest.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is not YAML or JSON: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or 'file'}: {detail_of(item)}" for item in error.errors()]
        raise Invalid(f"{path} is not a pipeline.\n       " + "\n       ".join(lines)) from None


def with_params(steps: Sequence[Step], settings: Sequence[str]) -> list[Step]:
    """Return the steps with params changed by `settings`, such as `trails.layers=6`.

    The value of a setting is JSON, or else text. Raises Invalid.
    """
    changed = {step.id: dict(step.params) for step in steps}
    for setting in settings:
        place, equals, text = setting.partition("=")
        name, dot, param = place.partition(".")
        if not (equals and dot and param):
            raise Invalid(f"--set {setting}: write STEP.PARAM=VALUE.")
        if name not in changed:
            raise Invalid(f"--set {setting}: no step is called {name!r}. Steps: {', '.join(changed)}.")
        changed[name][param] = _value(text)
    return [step.model_copy(update={"params": changed[step.id]}) for step in steps]


def named_files(words: Sequence[str]) -> dict[str, list[Path | str]]:
    """Parse options `--name FILE` into lists of files, by name.

    Each option may be given more than once. Raises Invalid.
    """
    files: dict[str, list[Path | str]] = {}
    rest = list(words)
    while rest:
        flag = rest.pop(0)
        name, equals, value = flag.partition("=")
        if not name.startswith("--") or len(name) < 3:
            raise Invalid(f"{flag!r} is not an option. Give files as `--video clip.mp4`.")
        if not equals:
            if not rest:
                raise Invalid(f"{flag}: give a file after it.")
            value = rest.pop(0)
        if not is_url(value) and not Path(value).is_file():
            raise Invalid(f"{name}: the file {value} does not exist.")
        files.setdefault(name[2:].replace("-", "_"), []).append(value if is_url(value) else Path(value))
    return files


def runs_of(files: Mapping[str, list[Path | str]], *, batch: bool) -> list[tuple[str, dict[str, list[Path | str]]]]:
    """Divide `files` among runs of a pipeline.

    Returns each run's folder name and files. The folder is below the output folder. There is one run with all files; with `batch` there is
    one for each file of an option that is repeated. Raises Invalid.
    """
    if not batch:
        return [("", dict(files))]
    repeated = {name: paths for name, paths in files.items() if len(paths) > 1}
    if len({len(paths) for paths in repeated.values()}) != 1:
        counts = ", ".join(f"--{name}: {len(paths)}" for name, paths in files.items()) or "none"
        raise Invalid(f"--batch: repeat at least one file option, and give all repeated options equally many files. Files given: {counts}.")
    count = len(next(iter(repeated.values())))
    labels = _labels(next(iter(repeated.values())))
    return [
        (labels[number], {name: [paths[number]] if name in repeated else paths for name, paths in files.items()}) for number in range(count)
    ]


def _labels(paths: Sequence[Path | str]) -> list[str]:
    """Return a unique folder name for each file.

    The name is the file's name without its suffix, with a number added to repeated names.
    """
    stems = [Path(path).stem for path in paths]
    return [f"{stem}-{number + 1}" if stems.count(stem) > 1 else stem for number, stem in enumerate(stems)]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
