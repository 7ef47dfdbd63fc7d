"""The command `reelwright`, run in separate processes."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared.cli.doctor import _service
from shared.operation import Service
from shared.testing import RunningSuite
from shared.video import probe


def reelwright(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command `reelwright` in a process, with tables 160 columns wide."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
    command = [sys.executable, "-m", "reelwright", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment | {"COLUMNS": "160"} | env)


def test_a_file_is_ramped_on_this_machine(clip, tmp_path):
    output = tmp_path / "out.mp4"
    done = reelwright("speed-ramp", "render", clip, output, "--speeds", "[2]", "--audio", "drop")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert f"{output}: " in done.stderr
    info = probe(output)
    assert (round(info.duration_s, 2), info.audio) == (3.0, ())
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_list_may_come_from_a_file(clip, tmp_path):
    (tmp_path / "curve.json").write_text('[{"t": 0, "speed": 4}]')
    done = reelwright("speed-ramp", "render", clip, tmp_path / "out.mp4", "--curve", f"@{tmp_path / 'curve.json'}", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["duration_s"] == pytest.approx(1.5, abs=0.04)


def test_a_file_is_ramped_on_a_suite(clip, tmp_path, running: RunningSuite):
    output = tmp_path / "out.mp4"
    done = reelwright("speed-ramp", "render", clip, output, "--speeds", "[3]", "--json", "--remote", running.url)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert probe(output).duration_s == pytest.approx(result["duration_s"], abs=0.05)
    newest = running.client.get("/v1/jobs", params={"limit": 1, "results": True}).json()["items"][0]
    assert newest["result"] == result
    listed = reelwright("jobs", "list", "--service", "speed-ramp", "--status", "succeeded", "--remote", running.url).stdout
    assert newest["id"] in [line.split("\t")[0] for line in listed.splitlines()]
    followed = reelwright("jobs", "follow", newest["id"], "--remote", running.url).stdout.splitlines()
    assert (followed[-2].split()[0], followed[-1]) == ("100.0%", "succeeded")
    again = reelwright("speed-ramp", "render", clip, output, "--speeds", "[3]", "--remote", running.url)
    assert again.stderr.strip().endswith(f"{output} already exists: give another name, or --overwrite.")
    assert reelwright("speed-ramp", "render", clip, output, "--speeds", "[3]", "--overwrite", "--remote", running.url).returncode == 0
    assert json.loads(reelwright("jobs", "show", newest["id"], "--remote", running.url).stdout)["status"] == "succeeded"
    assert reelwright("jobs", "log", newest["id"], "--remote", running.url).returncode == 0
    assert "already succeeded" in reelwright("jobs", "cancel", newest["id"], "--remote", running.url).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--min-speed", "0.01"), "--min-speed: must be at least 0.1, not '0.01'"),
        (("--mode", "sideways"), "--mode: "),
        (("--speeds", "[1,"), "--speeds: must be JSON"),
        (("--curve", "@/no/such/file"), "/no/such/file: No such file"),
        (("--speeds", "[1]", "--curve", '[{"t": 0, "speed": 1}]'), "curve or speeds, not both"),
    ],
)
def test_wrong_parameters_are_named(clip, tmp_path, arguments, message):
    done = reelwright("speed-ramp", "render", clip, tmp_path / "out.mp4", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_video_is_refused_with_a_readable_message(tmp_path):
    (tmp_path / "text.mp4").write_text("this is no video")
    done = reelwright("speed-ramp", "analyze", tmp_path / "text.mp4")
    assert done.returncode == 1
    assert done.stderr.strip().startswith("error: ")
    assert "Traceback" not in done.stderr


def test_the_input_is_never_overwritten(clip):
    before = clip.stat().st_size
    done = reelwright("speed-ramp", "render", clip, clip)
    assert (done.returncode, clip.stat().st_size) == (1, before)
    assert "give the output another name" in done.stderr


def test_a_missing_suite_is_reported(clip, tmp_path):
    done = reelwright("speed-ramp", "render", clip, tmp_path / "out.mp4", "--remote", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "does not answer" in done.stderr


def test_doctor_says_what_works(tmp_path):
    done = reelwright("doctor", REELWRIGHT_DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert "ffmpeg version" in done.stdout
    assert "encoder libx264" in done.stdout
    assert "analyze, render" in done.stdout
    for layer in ("landlock", "seccomp", "privileges", "server-memory", "environment"):
        assert f"sandbox: {layer}" in done.stdout


def test_doctor_names_what_needs_a_package_that_is_missing():
    complete = Service(name="x", title="X", module="x", operations=(), packages={"json": "reading"})
    assert _service(complete).ok
    finding = _service(replace(complete, packages={"no_such_package": "sound that keeps its pitch (audio=keep)"}))
    assert not finding.ok
    assert not finding.needed
    assert finding.detail.startswith(
        "sound that keeps its pitch (audio=keep) needs no_such_package: not installed, or without a package for "
    )


def test_doctor_fails_where_something_needed_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    done = reelwright("doctor", REELWRIGHT_DATA_DIR=str(tmp_path / "file"))
    assert done.returncode == 1


def test_gc_on_an_empty_folder_clears_nothing(tmp_path):
    done = reelwright("gc", REELWRIGHT_DATA_DIR=str(tmp_path))
    assert json.loads(done.stdout) == {"jobs": 0, "media": 0, "folders": 0, "uploads": 0}, done.stderr


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"REELWRIGHT_PORT": "http"}, "port"),
        ({"REELWRIGHT_HOST": "0.0.0.0"}, "REELWRIGHT_API_KEYS"),
        ({"REELWRIGHT_API_KEYS": "secret-word"}, "REELWRIGHT_API_KEYS: key 1 has 11 characters; it needs at least 24"),
        ({"REELWRIGHT_METRICS_KEY": "secret-word"}, "REELWRIGHT_METRICS_KEY: the key has 11 characters; it needs at least 24"),
        ({"REELWRIGHT_URL_ALLOW_NETWORKS": "10.0.0.0/99"}, "url_allow_networks"),
        ({"REELWRIGHT_SERVICE_URLS": "{"}, "service_urls"),
        ({"REELWRIGHT_SERVICE_URLS": '{"speed-ramp": "here"}'}, "http://"),
        ({"REELWRIGHT_WEBHOOK_SECRET": "é"}, "whsec_"),
        ({"REELWRIGHT_DATA_DIR": "/proc/none"}, "/proc/none"),
        ({"REELWRIGHT_DATABASE_URL": "nowhere"}, "database"),
        ({"REELWRIGHT_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "database"),
    ],
)
def test_wrong_settings_are_reported_at_start(tmp_path, env, message):
    done = reelwright("up", **({"REELWRIGHT_DATA_DIR": str(tmp_path), "REELWRIGHT_PORT": "0"} | env))
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret-word" not in done.stderr


@pytest.mark.parametrize("command", ["gc", "doctor"])
def test_wrong_settings_are_reported_by_every_command(command):
    done = reelwright(command, REELWRIGHT_PORT="http")
    assert done.returncode == 1
    assert done.stderr == "error: invalid settings\n  port: must be a whole number\n"
    assert "Traceback" not in done.stderr


def test_an_output_name_of_an_unknown_format_is_refused(clip, tmp_path):
    done = reelwright("speed-ramp", "render", clip, tmp_path / "out.txt", "--speeds", "[2]")
    assert done.returncode == 1
    assert "must end in one of" in done.stderr
    assert "Traceback" not in done.stderr


SLOW_TO_IMPORT = ("dbos", "sqlalchemy", "fastapi", "httpx", "numpy", "av", "cv2")


def test_a_worker_process_imports_no_server_and_no_database():
    code = "import sys, shared.worker.child, services.speed_ramp.render; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert {"dbos", "sqlalchemy", "fastapi", "httpx"} & set(listed.stdout.split()) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["keys", "--help"], ["jobs", "--help"]])
def test_the_help_imports_no_service_and_no_server(arguments):
    code = "import sys; from reelwright import main\ntry: main()\nexcept SystemExit: print('modules:', *sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=100)
    text, _, modules = listed.stdout.rpartition("modules: ")
    assert ("speed-ramp" in text) == (arguments == ["--help"])
    assert text.startswith("reelwright 0.") == (arguments == ["--version"])
    imported = set(modules.split())
    assert "reelwright" in imported
    assert {name for name in imported if name in SLOW_TO_IMPORT or name.startswith("services.")} == set()


def test_media_of_a_suite_are_uploaded_listed_downloaded_and_deleted(clip, tmp_path, running: RunningSuite):
    media_id, name = reelwright("media", "upload", clip, "--remote", running.url).stdout.split()
    assert name == clip.name
    listed = json.loads(reelwright("media", "list", "--kind", "video", "--json", "--remote", running.url).stdout)
    assert media_id in [item["id"] for item in listed]
    assert reelwright("media", "download", media_id, tmp_path, "--remote", running.url).stdout.strip() == str(tmp_path / name)
    assert (tmp_path / name).read_bytes() == clip.read_bytes()
    assert "exists" in reelwright("media", "download", media_id, tmp_path, "--remote", running.url).stderr
    assert reelwright("media", "delete", media_id, "--remote", running.url).returncode == 0
    assert running.client.get(f"/v1/media/{media_id}").status_code == 404


def test_a_port_in_use_and_a_misspelt_setting_are_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = reelwright("up", REELWRIGHT_DATA_DIR=str(tmp_path), REELWRIGHT_PORT=port, REELWRIGHT_CONCURENCY="1")
    assert done.returncode == 1
    assert f"cannot listen on http://127.0.0.1:{port}: Address already in use" in done.stderr
    assert "Did you mean REELWRIGHT_CONCURRENCY?" in " ".join(done.stderr.split())


def test_an_unknown_service_is_reported():
    done = reelwright("serve", "speedramp")
    assert done.returncode == 1
    assert "gateway, media, speed-ramp" in done.stderr.replace("\n", " ")


def test_several_outputs_go_into_a_folder(clip, tmp_path):
    done = reelwright("speed-ramp", "export", clip, tmp_path / "made", "--speeds", "[2]")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["files.zip", "plot.png"]
    nowhere = reelwright("speed-ramp", "export", clip, tmp_path / "none" / "made", "--speeds", "[2]")
    assert nowhere.returncode == 1
    assert f"The folder {tmp_path / 'none' / 'made'} cannot be created: No such file or directory" in nowhere.stderr.replace("\n", " ")


def test_files_of_several_mattes_carry_the_backends_name(clip, tmp_path):
    # The original script uses the same file names. The mattes of several backends can then lie in one folder.
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "foreground.mp4").write_text("of somebody else")
    done = reelwright("matting", "matte", clip, folder, "--backend", "chroma", "--key", "#00b140", "--duration", "0.2")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["chroma_alpha.mp4", "chroma_composite.mp4", "foreground.mp4"]
    prores = reelwright(
        "matting", "matte", clip, folder, "--backend", "chroma", "--key", "#00b140", "--duration", "0.1", "--alpha-format", "prores"
    )
    assert prores.returncode == 0, prores.stderr
    assert "chroma_alpha.mov" in {path.name for path in folder.iterdir()}
