"""The reverse proxies of docs/operating.md, checked by their own programs.

The examples pass on what the suite needs.

Tests of a program skip where it is not installed (`apt-get install nginx caddy`).
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.documents.code_blocks import blocks

HEADING = "## A reverse proxy"
NGINX, CADDY = (blocks("docs/operating.md", HEADING, language)[0] for language in ("nginx", "caddy"))
LARGEST = Settings.model_fields["max_upload_bytes"].default


def program(name: str) -> str:
    """Return the path of an installed program; skip the test without it."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def test_nginx_accepts_its_example(tmp_path: Path) -> None:
    nginx = program("nginx")
    key, certificate = tmp_path / "studio.key", tmp_path / "studio.pem"
    names = ["-subj", "/CN=studio.example.com", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names], check=True, capture_output=True)
    server = NGINX.replace("/etc/ssl/studio.pem", str(certificate)).replace("/etc/ssl/studio.key", str(key))
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = tmp_path / "nginx.conf"
    config.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{server}}}\n")
    done = subprocess.run([nginx, "-t", "-p", str(tmp_path), "-c", str(config)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_caddy_accepts_its_example(tmp_path: Path) -> None:
    config = tmp_path / "Caddyfile"
    config.write_text(CADDY)
    done = subprocess.run([program("caddy"), "adapt", "--config", str(config)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = json.dumps(json.loads(done.stdout))
    assert int(re.findall(r'"max_size": (\d+)', text)[0]) > LARGEST
    assert '"flush_interval": -1' in text


def test_uploads_and_events_pass_unchanged() -> None:
    directives = dict(re.findall(r"^\s*(\w+) ([^;]+);", NGINX, re.MULTILINE))
    expected = {"client_max_body_size": "0", "proxy_request_buffering": "off", "proxy_buffering": "off", "proxy_http_version": "1.1"}
    assert {name: directives.get(name) for name in expected} == expected
    size = re.search(r"max_size (\d+)GB", CADDY)
    assert size is not None
    assert int(size[1]) * 10**9 > LARGEST
    assert "flush_interval -1" in CADDY


def test_a_block_of_caddy_begins_and_ends_at_the_end_of_a_line() -> None:
    # Caddy reads no block in one line.
    code = [line.partition("#")[0].rstrip() for line in CADDY.splitlines()]
    assert [line for line in code if "{" in line and not line.endswith(" {")] == []
    assert [line for line in code if "}" in line and line.strip() != "}"] == []
