"""Checks of this installation: settings, database, video, devices, models."""

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
from dataclasses import dataclass

import psutil
import sqlalchemy as sa

from shared.errors import Unavailable
from shared.jobs.database.tables import connect, make_tables
from shared.jobs.running.sandboxes import layers
from shared.models.devices.device import choose_device, free_bytes, gpus, total_bytes
from shared.models.folder import ModelFolder
from shared.operation import Service
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check.

    The suite runs only if every `needed` check is `ok`.
    """

    subject: str
    ok: bool
    detail: str
    needed: bool = True


def examine(settings: Settings, services: tuple[Service, ...]) -> list[Finding]:
    """Run all checks; return a finding for each."""
    cores, memory = os.cpu_count() or 1, psutil.virtual_memory().total / 1024**3
    return [
        Finding(subject="machine", ok=True, detail=f"Python {platform.python_version()}, {cores} cores, {memory:.0f} GiB of memory"),
        _data_folder(settings),
        _database(settings),
        _port(settings),
        *_video(),
        *_sandbox(settings),
        _device(),
        _models(settings),
        *(_service(service) for service in services),
    ]


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free / 1e9
        return Finding(subject="data folder", ok=os.access(folder, os.W_OK), detail=f"{folder}, {free:.0f} GB free")
    except OSError as error:
        return Finding(subject="data folder", ok=False, detail=str(error))


def _database(settings: Settings) -> Finding:
    try:
        engine = connect(settings.database, settings.data_dir)
        make_tables(engine)
        with engine.connect() as connection:
            connection.execute(sa.text("select 1"))
        engine.dispose()
        return Finding(subject="database", ok=True, detail=engine.dialect.name)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        return Finding(subject="database", ok=False, detail=str(error).splitlines()[0])


def _port(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    try:
        with socket.create_server((settings.host, settings.port)):
            return Finding(subject="port", ok=True, detail=f"{address} is free")
    except OSError as error:
        return Finding(subject="port", ok=False, needed=False, detail=f"{address}: {error.strerror} (a suite may be running)")


def _video() -> list[Finding]:
    try:
        from shared.video import encoders, ffmpeg_path
    except ImportError as error:
        return [Finding(subject="video", ok=False, detail=str(error))]
    try:
        binary = ffmpeg_path()
        version = subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=20, check=True).stdout.splitlines()[0]
        ffmpeg = Finding(subject="ffmpeg", ok=True, detail=version.partition(" Copyright")[0])
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        ffmpeg = Finding(subject="ffmpeg", ok=False, detail=str(error))
    return [
        ffmpeg,
        *(Finding(subject=f"encoder {name}", ok=works, detail="", needed=name == "libx264") for name, works in encoders().items()),
    ]


def _sandbox(settings: Settings) -> list[Finding]:
    """Report the layers of the sandbox that limits worker processes."""
    return [
        Finding(
            subject=f"sandbox: {layer.name}",
            ok=layer.active,
            needed=settings.sandbox == "require" and layer.name == "landlock",
            detail=layer.detail,
        )
        for layer in layers(settings)
    ]


def _device() -> Finding:
    """Report the device that models run on, and the GPUs."""
    cards = ", ".join(f"{gpu} {gpu.title}, {free_bytes(gpu) / 1024**3:.0f} of {total_bytes(gpu) / 1024**3:.0f} GiB free" for gpu in gpus())
    try:
        device = choose_device()
    except Unavailable as error:
        return Finding(subject="device", ok=False, detail=error.detail)
    return Finding(subject="device", ok=True, detail=f"models run on {device}; GPUs: {cards or 'none'}")


def _models(settings: Settings) -> Finding:
    folder = ModelFolder(settings.models_folder)
    installed = [model.name for model in folder.catalog if folder.installed(model)]
    detail = f"{len(installed)} of {len(folder.catalog)} in {folder.root}: {', '.join(installed) or 'none'} (reelwright models list)"
    return Finding(subject="models", ok=bool(installed), needed=False, detail=detail)


def _service(service: Service) -> Finding:
    """Report a service's operations, or its missing packages and models.

    A model counts as missing if the example of an operation needs it.
    """
    lacking = [f"{purpose} needs {name}" for name, purpose in service.packages.items() if importlib.util.find_spec(name) is None]
    if lacking:
        reason = f"not installed, or without a package for {platform.system()} on {platform.machine()}"
        return Finding(subject=f"service {service.name}", ok=False, needed=False, detail=f"{'; '.join(lacking)}: {reason}")
    missing = [command for operation in service.operations if (command := operation.unavailable(operation.example))]
    detail = ", ".join(operation.verb for operation in service.operations)
    return Finding(
        subject=f"service {service.name}",
        ok=not missing,
        needed=False,
        detail=f"incomplete; to install what is missing: {missing[0]}" if missing else detail,
    )
