"""The compose file for machines with a GPU."""

from tests.deployment.deployment import Deployment

FILES = ("docker-compose.yaml", "docker-compose.gpu.yaml")


def test_services_that_use_a_gpu_reserve_it(suite: Deployment) -> None:
    # The containers are created but not started: an engine without the NVIDIA toolkit can run this test, too.
    suite.engine.images.get("reelwright/aesthetics:test").tag("reelwright/aesthetics-gpu", "test")  # no build: CUDA is large
    suite.compose("up", "--no-start", "--no-build", "--no-deps", "aesthetics", "effects", files=FILES)
    devices = suite.container("aesthetics").attrs["HostConfig"]["DeviceRequests"]
    assert [(device["Driver"], device["Count"], device["Capabilities"]) for device in devices] == [("nvidia", -1, [["gpu"]])]
    assert suite.container("effects").attrs["HostConfig"]["DeviceRequests"], "it encodes on the GPU"
    suite.compose("up", "--detach", "--no-deps", "--wait", "aesthetics", "effects")
    assert not suite.container("aesthetics").attrs["HostConfig"]["DeviceRequests"]
