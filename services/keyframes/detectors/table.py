"""Table of shot detectors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from services.keyframes.analysis.scan import Scan
from services.keyframes.detectors.adaptive import adaptive_scores
from services.keyframes.detectors.auto import detect_auto
from services.keyframes.detectors.footage import Detection, Footage
from services.keyframes.detectors.frame_scores import content_scores, cuts_by, difference_scores, histogram_scores
from services.keyframes.detectors.gradual.fades import detect_fades, fade_scores
from services.keyframes.detectors.transition import Floats
from services.keyframes.detectors.transnet import detect_transnet
from shared.choices import OneOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A shot detector, as a row of `DETECTORS`."""

    name: str
    label: str
    """Label in a form."""
    threshold: float
    """Default threshold."""
    highest: float
    """Highest score; the lowest is 0."""
    description: str
    """Transitions found or measure compared, as one clause for the API reference."""
    detect: Callable[[Footage, float], Detection]
    """Function that finds the transitions that reach a threshold."""
    frame_scores: Callable[[Scan], Floats] | None = None
    """Function that scores every frame of a scan, (n,). With `all_scores`, the scores are written whatever the method."""
    model: str | None = None
    """Catalogue name of the model that the detector needs."""


DETECTORS = (
    Detector(
        name="auto",
        label="Automatic",
        threshold=0.5,
        highest=1,
        description="hard cuts, fades, dissolves and wipes, without being misled by flashes and camera motion",
        detect=detect_auto,
    ),
    Detector(
        name="adaptive",
        label="Adaptive",
        threshold=3.0,
        highest=255,
        description="change of content relative to the neighbouring frames",
        detect=cuts_by(adaptive_scores),
        frame_scores=adaptive_scores,
    ),
    Detector(
        name="content",
        label="Colour and edges",
        threshold=27.0,
        highest=255,
        description="change of colour and edges",
        detect=cuts_by(content_scores),
        frame_scores=content_scores,
    ),
    Detector(
        name="histogram",
        label="Histogram",
        threshold=0.35,
        highest=1,
        description="change of the brightness histogram",
        detect=cuts_by(histogram_scores),
        frame_scores=histogram_scores,
    ),
    Detector(
        name="difference",
        label="Difference",
        threshold=30.0,
        highest=255,
        description="mean change of the pixels",
        detect=cuts_by(difference_scores),
        frame_scores=difference_scores,
    ),
    Detector(
        name="fades",
        label="Fades",
        threshold=0.7,
        highest=1,
        description="fades to and from one colour; the score is the share of contrast lost",
        detect=detect_fades,
        frame_scores=fade_scores,
    ),
    Detector(
        name="transnet",
        label="TransNetV2",
        threshold=0.5,
        highest=1,
        description="cuts and gradual transitions, found by the neural network TransNetV2",
        detect=detect_transnet,
        model="transnetv2",
    ),
)

BY_NAME: Mapping[str, Detector] = {detector.name: detector for detector in DETECTORS}

Method = Annotated[str, OneOf(BY_NAME)]
"""Type of the parameter `method`: one of the detectors' names."""


def frame_scores(scan: Scan) -> dict[str, Floats]:
    """Score every frame with each detector that rates single frames.

    Returns detector name -> scores, (n,).
    """
    return {detector.name: detector.frame_scores(scan) for detector in DETECTORS if detector.frame_scores}
