"""The commands in docs/deployment.md and docs/operating.md, run as written."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment, kill_inside
from tests.documents.code_blocks import blocks
from tests.waiting import within

PEAKS = {"inputs": {"video": SAMPLE_ID}, "cache": False}
NEWER_COLUMNS = ("cache", "cached", "result_key", "preview", "listed", "deadline_at")


@pytest.fixture
def restored(suite: Deployment) -> Iterator[Deployment]:
    """Prepare a second deployment with the images of `suite` and volumes of its own."""
    other = Deployment(suite.engine, suite.folder, REELWRIGHT_CONCURRENCY="1")
    other.built = True
    yield other
    other.clear_away()


def shell(deployment: Deployment, command: str) -> str:
    """Run a documented command in the deployment's folder; return its output."""
    done = subprocess.run(["bash", "-euc", command], cwd=deployment.folder, env=deployment.environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


def a_job(deployment: Deployment) -> str:
    """Run a small job; return the job's id.

    The gateway draws the sample clip anew after its start if a key adopted it.
    """
    within(90, lambda: deployment.client.client.get(f"/v1/media/{SAMPLE_ID}").is_success, "the sample clip")
    answer = deployment.client.client.post("/v1/media/peaks/jobs", json=PEAKS)
    assert answer.status_code == 202, answer.text
    job = deployment.client.wait(answer.json()["id"])
    assert job["status"] == "succeeded", job["error"]
    return str(job["id"])


def test_the_reelwright_command_runs_in_every_container(suite: Deployment) -> None:
    for service in suite.services():
        if service != "postgres":
            assert "reelwright" in shell(suite, f"docker compose exec -T {service} reelwright --version").lower()
    assert "u2netp" in shell(suite, "docker compose exec -T matting reelwright models list")


def test_models_are_pulled_in_a_container(suite: Deployment) -> None:
    # A mirror serves zeros for both models: a first pull records its checksum, and a published checksum (u2netp) is compared.
    media, matting = suite.container("media"), suite.container("matting")
    files = {"rvm-resnet50": "rvm_resnet50_fp32.onnx", "u2netp": "u2netp.onnx"}
    for model, file in files.items():
        written = media.exec_run(["sh", "-c", f"mkdir -p /tmp/mirror/{model} && head -c 4574861 /dev/zero > /tmp/mirror/{model}/{file}"])
        assert written.exit_code == 0, written.output
    media.exec_run(["python", "-m", "http.server", "--directory", "/tmp/mirror", "9000"], detach=True)
    ask = "import urllib.request as r; r.urlopen('http://media:9000')"
    within(30, lambda: matting.exec_run(["python", "-c", ask]).exit_code == 0, "the mirror")
    pull = "docker compose exec -T --env REELWRIGHT_MODELS_MIRROR=http://media:9000 matting reelwright models pull"
    models = "docker compose exec -T matting reelwright models"
    try:
        assert "1 of 1 files fetched" in shell(suite, f"{pull} rvm-resnet50")
        assert "rvm-resnet50: ok" in shell(suite, f"{models} verify rvm-resnet50")
        needed = suite.client.client.get("/v1/matting/operations").json()
        assert next(item for item in needed if item["name"] == "matting.matte")["available"]
        refused = shell(suite, f"{pull} u2netp 2>&1 || true")
        published = "sha256:309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
        assert f"{published} is published. The download was deleted." in refused.replace("\n", " ")
        assert "u2netp: ok" not in shell(suite, f"{models} verify 2>&1")
    finally:
        shell(suite, "docker compose exec -T matting rm -rf /models/rvm-resnet50 /models/u2netp")
        kill_inside(media, "http.server")
        media.exec_run(["rm", "-rf", "/tmp/mirror"])


def test_a_pull_from_the_published_sources_installs_or_says_why_not(suite: Deployment) -> None:
    answer = shell(suite, "docker compose exec -T matting reelwright models pull u2netp 2>&1 || echo it failed").replace("\n", " ")
    print(answer)
    if "it failed" in answer:
        assert "cannot be fetched from any of its 2 sources" in answer
    else:
        assert "1 of 1 files fetched" in answer
        assert "u2netp: ok" in shell(suite, "docker compose exec -T matting reelwright models verify u2netp")
    shell(suite, "docker compose exec -T matting rm -rf /models/u2netp")


def test_added_and_revoked_keys_take_effect_at_once_in_every_container(suite: Deployment) -> None:
    client = suite.client.client
    before = a_job(suite)

    def status(key: str, path: str = f"/v1/jobs/{before}") -> int:
        return client.get(path, headers={"Authorization": f"Bearer {key}"} if key else {}).status_code

    keys = "docker compose exec -T gateway reelwright keys"
    try:
        first = shell(suite, f"{keys} add first").strip()
        assert (status(""), status(first), status(first, "/v1/jobs")) == (401, 404, 200)
        shell(suite, f"{keys} adopt first")
        assert status(first) == 200
        rotated = shell(suite, f"{keys} add second --like first").strip()
        shell(suite, f"{keys} revoke first")
        assert (status(first), status(rotated)) == (401, 200)
        # A service of its own checks the key, too.
        answer = client.post("/v1/media/peaks/check", json=PEAKS, headers={"Authorization": f"Bearer {rotated}"})
        assert answer.status_code in (200, 404), answer.text
        assert client.post("/v1/media/peaks/check", json=PEAKS, headers={"Authorization": f"Bearer {first}"}).status_code == 401
        assert "revoked" in shell(suite, f"{keys} list")
    finally:
        shell(suite, "docker compose exec -T gateway rm -f /data/keys.json")
    within(10, lambda: status("", "/v1/jobs") == 200)


def test_a_private_secret_file_is_reported_and_repaired(suite: Deployment) -> None:
    # An editor saves the file with mode 0600, which the containers cannot read. `restart` alone does not run the container that corrects
    # the mode.
    key = "a-key-of-the-secret-file"
    file = suite.folder / "secrets" / "reelwright_api_keys"
    file.write_text(key)
    file.chmod(0o600)
    try:
        shell(suite, "docker compose restart gateway")
        within(60, lambda: b"docker compose run --rm secrets" in suite.container("gateway").logs(tail=50), "the remedy in the log")
        shell(suite, "docker compose run --rm secrets")
        within(90, suite.ready, "the gateway, which the engine starts again")
        assert suite.client.client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        assert suite.client.client.get("/v1/jobs").status_code == 401
    finally:
        file.unlink()
        shell(suite, "docker compose restart gateway")
        within(60, suite.ready, "the gateway")


def test_a_backup_is_restored_into_empty_volumes(suite: Deployment, restored: Deployment) -> None:
    job = a_job(suite)
    backup, restore, _ = blocks("docs/operating.md", "## Backup and restore")
    shell(suite, backup)
    archived = shell(suite, "tar -tf secrets.tar")
    assert "./reelwright_database_password" in archived.split()
    shell(restored, restore)
    client = restored.client.client
    record = client.get(f"/v1/jobs/{job}").json()
    assert record["status"] == "succeeded"
    output = next(iter(record["outputs"].values()))
    assert len(client.get(output["urls"]["content"]).content) == output["bytes"]
    a_job(restored)


def test_the_database_password_is_changed(suite: Deployment) -> None:
    job = a_job(suite)
    password = "cat /run/secrets/reelwright_database_password"
    before = shell(suite, f"docker compose exec -T gateway {password}")
    shell(suite, "docker compose run --rm -T --entrypoint sh secrets -c ': > reelwright_database_password'")
    (commands,) = blocks("docs/operating.md", "### A new database password")
    shell(suite, commands)
    after = shell(suite, f"docker compose exec -T gateway {password}")
    assert len(after) == 48
    assert after != before
    assert suite.client.client.get(f"/v1/jobs/{job}").json()["status"] == "succeeded"
    a_job(suite)


def test_a_key_gets_what_belonged_to_a_lost_one(suite: Deployment) -> None:
    keys = "docker compose exec -T gateway reelwright keys"
    try:
        lost = shell(suite, f"{keys} add lost").strip()
        headers = {"Authorization": f"Bearer {lost}"}
        within(90, lambda: suite.client.client.get(f"/v1/media/{SAMPLE_ID}", headers=headers).is_success, "the sample clip")
        job = suite.client.client.post("/v1/media/peaks/jobs", json=PEAKS, headers=headers | {"Prefer": "wait=60"}).json()
        assert job["status"] == "succeeded", job
        owner = next(key["owner"] for key in json.loads(shell(suite, f"{keys} list --json")))
        shell(suite, "docker compose exec -T gateway rm /data/keys.json")
        new = {"Authorization": f"Bearer {shell(suite, f'{keys} add new').strip()}"}
        assert suite.client.client.get(f"/v1/jobs/{job['id']}", headers=new).status_code == 404
        shell(suite, f"{keys} adopt new --from {owner}")
        assert suite.client.client.get(f"/v1/jobs/{job['id']}", headers=new).json()["status"] == "succeeded"
    finally:
        shell(suite, "docker compose exec -T gateway rm -f /data/keys.json")


def test_a_service_is_scaled_as_documented(suite: Deployment) -> None:
    (command,) = blocks("docs/deployment.md", "## More containers of one service")
    gateway = suite.container("gateway").id
    shell(suite, command)
    assert len(suite.containers("effects")) == 3
    assert suite.container("gateway").id == gateway
    suite.environment["REELWRIGHT_SCALE_EFFECTS"] = "2"
    try:
        shell(suite, "docker compose up --detach --wait")
        assert len(suite.containers("effects")) == 2
    finally:
        del suite.environment["REELWRIGHT_SCALE_EFFECTS"]


def test_compose_up_starts_the_suite_and_says_why_it_does_not(suite: Deployment) -> None:
    assert "reelwright" in shell(suite, "make compose-up GPU=0 2>&1").lower()
    within(60, suite.ready, "the gateway")
    suite.environment["REELWRIGHT_HOST"] = "0.0.0.0"
    try:
        printed = shell(suite, "make compose-up GPU=0 2>&1 || echo refused")
        assert "REELWRIGHT_HOST=0.0.0.0 can be reached by others: set REELWRIGHT_API_KEYS" in printed
        assert printed.endswith("refused\n")
        assert suite.ready(), "the running containers stay as they were"
        first = shell(suite, "docker compose run --rm -T gateway keys add first").split()[-1]  # the output of a build may come before
        assert len(first) > 24
        shell(suite, "make compose-up GPU=0")
        assert suite.client.client.get("/v1/jobs", headers={"Authorization": f"Bearer {first}"}).status_code == 200
    finally:
        del suite.environment["REELWRIGHT_HOST"]
        shell(suite, "docker compose exec -T gateway rm -f /data/keys.json")


def test_an_upgrade_keeps_jobs_and_media(suite: Deployment) -> None:
    # New images run on an earlier release's volumes, whose tables lack columns, and the earlier images afterwards.
    job = a_job(suite)
    for service in suite.services():
        if service != "postgres":
            suite.engine.images.get(f"reelwright/{service}:test").tag(f"reelwright/{service}", "newer")
    ours = [service for service in suite.services() if service != "postgres"]
    suite.compose("stop", *ours)
    dropped = ", ".join(f"drop column {column}" for column in NEWER_COLUMNS)
    shell(suite, f"docker compose exec -T postgres psql -U reelwright -c 'alter table reelwright_jobs {dropped}'")
    try:
        suite.environment["REELWRIGHT_TAG"] = "newer"
        shell(suite, "docker compose up --detach --wait --no-build")
        assert suite.container("gateway").attrs["Config"]["Image"] == "reelwright/gateway:newer"
        assert suite.client.client.get(f"/v1/jobs/{job}").json()["status"] == "succeeded"
        later = a_job(suite)
    finally:
        suite.environment["REELWRIGHT_TAG"] = "test"
    shell(suite, "docker compose up --detach --wait --no-build")
    assert {job, later} <= {item["id"] for item in suite.client.client.get("/v1/jobs", params={"limit": 500}).json()["items"]}
    a_job(suite)
