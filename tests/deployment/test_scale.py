"""Several containers of one service: one queue, and requests to each of them."""

from collections import Counter

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment
from tests.waiting import within

JOBS = 8


def test_two_containers_share_one_queue(suite: Deployment) -> None:
    suite.up(effects=2)
    body = {"inputs": {"video": SAMPLE_ID}, "params": {"layers": 8, "spacing": 2, "duration": 2}, "cache": False}
    jobs = [suite.client.client.post("/v1/effects/motion-trails/jobs", json=body).json()["id"] for _ in range(JOBS)]
    assert {suite.client.wait(job, timeout_s=300)["status"] for job in jobs} == {"succeeded"}
    runs = suite.runs("effects")
    assert [len(runs[job]) for job in jobs] == [1] * JOBS
    shares = Counter(runs[job][0].container for job in jobs)
    assert len(shares) == 2, shares
    assert min(shares.values()) >= JOBS // 4, shares


def test_requests_go_to_every_replica(suite: Deployment) -> None:
    suite.up(effects=3)
    for number in range(12):
        assert suite.client.client.get("/v1/effects/operations", headers={"X-Request-ID": f"spread-{number}"}).is_success

    def met() -> Counter[str]:
        lines = suite.lines("effects")
        return Counter(container for container, line in lines if str(line.get("request_id", "")).startswith("spread-"))

    within(30, lambda: met().total() == 12, "the log of all requests")
    assert sorted(met().values()) == [4, 4, 4], met()
