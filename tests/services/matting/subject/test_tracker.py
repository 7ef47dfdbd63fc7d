"""Tracking of one subject in a matte."""

import numpy as np

from services.matting.subject.regions import main_region
from services.matting.subject.tracker import Tracker
from tests.services.matting.matte_clips import HEIGHT, WIDTH, disc, picture


def test_a_strand_of_hair_cuts_no_hole_into_the_subject():
    # A speck near the subject joins the subject in the next frame.
    gray = picture([(160, 90)])[..., 0]
    subject, strand = disc(160, 90), np.zeros((HEIGHT, WIDTH), bool)
    strand[88:92, 184:188] = True
    tracker = Tracker(main_region)
    joined = subject.copy()
    joined[86:94, 160:188] = True
    for number, matte in enumerate((subject | strand, joined, joined)):
        gated = tracker.gate(matte.astype(np.float32), gray, cut=number == 0)
        assert gated[matte].min() > 0.9, number


def test_other_objects_that_touch_the_subject_stay_out():
    tracker = Tracker(main_region)
    for number in range(6):
        left, right = disc(150, 90), disc(212 - 4 * number, 90)
        gray = picture([(150, 90), (212 - 4 * number, 90)])[..., 0]
        gated = tracker.gate((left | right).astype(np.float32), gray, cut=number == 0)
        assert gated[left].mean() > 0.95
        assert gated[right & ~left].mean() < 0.15
