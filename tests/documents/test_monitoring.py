"""The metrics in docs/monitoring and the settings in .env.example: each is known."""

import json
import re

import yaml

from shared.testing import RunningSuite
from tests.source_code.test_boundaries import ROOT

FOLDER = ROOT / "docs/monitoring"
NAME = re.compile(r"reelwright_[a-z_]+(?=[{\[ )(]|$)")


def test_every_metric_of_alerts_and_dashboard_exists(running: RunningSuite) -> None:
    known = set(re.findall(r"^# TYPE (\w+) ", running.client.get("/metrics").text, re.MULTILINE))
    rules = [rule["expr"] for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    panels = [target["expr"] for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"] for target in panel["targets"]]
    used = {name.removesuffix("_bucket") for expression in (*rules, *panels) for name in NAME.findall(expression)}
    assert len(used) > 8
    assert used <= known | {name.removesuffix("_total") for name in known}
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in jobs for static in job.get("static_configs", ()) for target in static["targets"]}
    names = {name for job in jobs for found in job.get("dns_sd_configs", ()) for name in found["names"]}
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    assert {target.partition(":")[0] for target in targets} | names <= set(services), "all are reached from one network"


def test_the_settings_of_the_example_file_are_read_by_compose() -> None:
    compose = "".join((ROOT / name).read_text() for name in ("docker-compose.yaml", "docker-compose.gpu.yaml"))
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert [name for name in named if name not in compose and not name.startswith("COMPOSE_")] == []
    assert {name for name in named if "_SCALE_" in name} == set(re.findall(r"scale: \$\{(\w+):-1\}", compose))
    assert "COMPOSE_FILE" in named
