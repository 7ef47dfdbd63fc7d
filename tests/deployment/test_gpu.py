"""The file for machines with a GPU."""

from tests.deployment.deployment import Deployment

FILES = ("docker-compose.yaml", "docker-compose.gpu.yaml")


def test_the_gpu_is_asked_for_by_those_who_use_one(suite: Deployment) -> None:
    """The containers are made and not started, which an engine without the NVIDIA toolkit does as well."""
    suite.engine.images.get("reelwright/aesthetics:test").tag("reelwright/aesthetics-gpu", "test")  # it is not built: CUDA takes gigabytes
    suite.compose("up", "--no-start", "--no-build", "--no-deps", "aesthetics", "effects", files=FILES)
    devices = suite.container("aesthetics").attrs["HostConfig"]["DeviceRequests"]
    assert [(one["Driver"], one["Count"], one["Capabilities"]) for one in devices] == [("nvidia", -1, [["gpu"]])]
    assert not suite.container("effects").attrs["HostConfig"]["DeviceRequests"]
    suite.compose("up", "--detach", "--no-deps", "--wait", "aesthetics")
    assert not suite.container("aesthetics").attrs["HostConfig"]["DeviceRequests"]
