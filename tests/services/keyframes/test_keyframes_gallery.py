"""The gallery page: one safe file whose script computes the same shots as the server."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import quickjs
from page_script import Script
from PIL import Image
from reports import HOSTILE, report_of

from services.keyframes.detect import DetectParams, detect
from services.keyframes.detectors.transition import Transition, cuts_at_peaks
from services.keyframes.output import gallery
from services.keyframes.output.cutlists.edl import edls
from services.keyframes.output.cutlists.frame_grid import FrameGrid
from services.keyframes.output.cutlists.qpfile import qpfile
from services.keyframes.output.cutlists.tables import shots_csv
from services.keyframes.output.gallery import MODULES, bundle, with_media, write_gallery
from services.keyframes.output.report import Scores, VideoReport
from services.keyframes.selection.shots import Shot, shots_between
from shared.video.probing.timecode import Timecode
from tests.services.keyframes.shot_clips import cut_together, write

NTSC = Fraction(30000, 1001)


@dataclass
class Page(HTMLParser):
    """A parser that records a page's scripts, style, tags, addresses and event handlers."""

    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    style: str = ""
    title: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        self.inside = tag
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]
        self.handlers += [name for name in attributes if name.startswith("on")]
        if tag == "script":
            self.scripts.append((attributes, ""))
        if tag == "meta":
            self.meta[attributes.get("name") or attributes.get("http-equiv") or ""] = attributes.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self.inside == "style":
            self.style += data
        elif self.inside == "title":
            self.title += data

    @property
    def videos(self) -> list[dict]:
        return [json.loads(text) for attributes, text in self.scripts if attributes.get("class") == "video"]


def page_of(folder: Path, *reports: VideoReport) -> Page:
    """Write the gallery of `reports`, with thumbnails; return the parsed page."""
    for report in reports:
        for number, keyframe in enumerate(report.keyframes):
            path = folder / keyframe.thumbnail
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (320, 180), (number * 7 % 256, 90, 160)).save(path, "JPEG")
    write_gallery(reports, folder, folder / "gallery.html")
    page = Page()
    page.feed((folder / "gallery.html").read_text())
    page.close()
    return page


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


def test_a_page_holds_its_videos_and_thumbnails(tmp_path: Path) -> None:
    page = page_of(
        tmp_path, report_of([0, 40, 90], rate=NTSC, start_timecode="01:00:00;00"), VideoReport(name="b.mov", error={"detail": "No."})
    )
    video, failed = page.videos
    assert video["shots"] == [
        [0, 40, 0.0, float(40 / NTSC), "start", 0, 0, 0.75],
        [40, 90, float(40 / NTSC), float(90 / NTSC), "cut", 40, 40, 0.75],
    ]
    assert video["grid"] == {"rate": "30000/1001", "whole": 30, "start": 107892, "drop": True}
    assert np.frombuffer(base64.b64decode(video["scores"]["values"]["difference"]), "<f4").tolist()[38:42] == [1, 1, 60, 1]
    assert video["scores"]["frames"] is None, "frame numbers and times follow from the rate"
    assert video["scores"]["times"] is None, "frame numbers and times follow from the rate"
    for keyframe in video["keyframes"]:
        head, _, data = keyframe["picture"].partition(",")
        assert head == "data:image/jpeg;base64"
        assert base64.b64decode(data) == (tmp_path / "clip/thumbnails" / keyframe["file"]).read_bytes()
    assert failed == {"name": "b.mov", "error": "No.", "keyframes": []}
    assert page.title == "clip.mp4, b.mov: shots"


def test_irregular_times_are_in_the_page(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.4, 0.5]
    report = report_of([0, 2, 4], times=times, rate=Fraction(8), variable_frame_rate=True)
    thinned = report.model_copy(update={"scores": Scores(frames=[0, 2], times=[0.0, 0.15], values={"difference": [0.0, 60.0]})})
    whole, grouped = (page_of(tmp_path, video_report).videos[0]["scores"] for video_report in (report, thinned))
    assert np.frombuffer(base64.b64decode(whole["times"]), "<f8").tolist() == times[:-1]
    assert whole["frames"] is None
    assert np.frombuffer(base64.b64decode(grouped["frames"]), "<u4").tolist() == [0, 2]


def test_the_page_loads_nothing_and_runs_only_its_script(tmp_path: Path) -> None:
    page = page_of(tmp_path, report_of([0, 40, 90]))
    policy = dict(part.strip().split(" ", 1) for part in page.meta["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    (code,) = [text for attributes, text in page.scripts if attributes.get("type") == "module"]
    for rule, text in ((policy["script-src"], code), (policy["style-src"], page.style)):
        assert rule == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert set(page.addresses) == {"#shots"}
    assert not re.search(
        r"https?://|@import|\burl\(|\bfetch\(|XMLHttpRequest|\bimport\(|\beval\(|innerHTML|insertAdjacent|document\.write",
        code + page.style,
    )
    assert not page.handlers


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    plain, hostile = page_of(tmp_path, report_of([0, 40])), page_of(tmp_path, report_of([0, 40], name=HOSTILE))
    assert hostile.tags == plain.tags
    assert hostile.videos[0]["name"] == HOSTILE
    assert hostile.title.startswith('a</script><script>alert(1)</script>&<b>"')
    marker = page_of(tmp_path, report_of([0, 40], name="{{script}}{{videos}}"))
    assert marker.tags == plain.tags
    assert marker.title == "{{script}}{{videos}}: shots"


def test_thousands_of_shots_make_a_small_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "THUMBNAILS_BYTES", 1000)
    monkeypatch.setattr(gallery, "MAX_THUMBNAILS", 300)
    page = page_of(tmp_path, report_of(range(0, 10_010, 10)))
    pictures = [keyframe["picture"] for keyframe in page.videos[0]["keyframes"]]
    assert len(pictures) == 1000
    assert sum(picture is not None for picture in pictures) == 250
    assert len(page.videos[0]["shots"]) == 1000
    assert (tmp_path / "gallery.html").stat().st_size < 1_000_000


def test_media_ids_are_filled_in() -> None:
    page = gallery._page_file("page.html")
    changed = with_media(page, ["01abc", "02def"])
    assert '<meta name="reelwright-media" content="01abc 02def">' in changed
    assert len(changed) == len(page) + 11


def test_the_modules_form_one_script() -> None:
    code = bundle(MODULES)
    assert set(MODULES) == {
        path.name for folder in (gallery.PAGE, gallery.TIMELINE) for path in folder.iterdir() if path.name.endswith(".js")
    }
    # Compiling without running finds names defined twice and imports left over.
    quickjs.Context().eval(f"(() => {{ {code} }})")
    assert "import " not in code.replace("// ", "")
    assert not re.search(r"^export ", code, re.MULTILINE)
    assert "</script" not in code
    assert "<!--" not in code


WHOLE = ["startFrame", "endFrame", "start", "end", "kind", "transition"]


def as_drawn(shot: Shot) -> list[object]:
    """Convert a Shot to the list that stands for it in the page's script."""
    transition = [shot.transition_start_frame, shot.transition_end_frame]
    return [shot.start_frame, shot.end_frame, shot.start_s, shot.end_s, shot.kind, transition]


def times_of(rng: np.random.Generator, count: int, *, vary: bool) -> list[float]:
    """Make the times of `count` frames and the end, random if `vary`.

    Otherwise they are even.
    """
    return [0.0, *np.cumsum(rng.uniform(0.005, 0.2, count) if vary else np.full(count, 0.04)).tolist()]


@pytest.mark.parametrize("seed", range(12))
def test_the_page_finds_the_same_shots_as_the_server(script: Script, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 400))
    scores = np.round(rng.gamma(1.0, 8.0, count), 1 if seed % 2 else 3).astype(np.float32)
    times = times_of(rng, count, vary=bool(seed % 3))
    samples = {"frames": list(range(count)), "times": times[:-1]}
    for threshold in (float(np.quantile(scores, 0.5)) or 1.0, 8.0, 0.35, 30.0, float(scores.max()), 500.0):
        for min_shot in (0.0, 0.3, 1.7):
            expected = shots_between(cuts_at_peaks(scores, threshold), times[:-1], times[-1], min_shot_s=min_shot)
            whole = {"total": count, "first": 0, "duration": times[-1], "minShot": min_shot}
            arguments = {"scores": scores.tolist(), "threshold": threshold, "samples": samples, "whole": whole}
            drawn = script("shotsOf(cutsOf(scores, threshold, samples), whole)", **arguments)
            assert [[shot[name] for name in WHOLE] for shot in drawn] == [as_drawn(shot) for shot in expected]
            assert [shot["confidence"] for shot in drawn] == pytest.approx([shot.confidence for shot in expected], abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_the_page_selects_the_same_candidates_as_the_server(script: Script, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = times_of(rng, 600, vary=bool(seed % 2))
    starts = np.sort(rng.integers(0, 595, 60)).tolist()
    transitions = [
        Transition(start, start + int(length), "dissolve" if length else "cut", float(sure))
        for start, length, sure in zip(starts, rng.integers(0, 30, 60) // 10 * 5, np.round(rng.uniform(size=60), 2), strict=True)
        if start + length < 600
    ]
    candidates = [
        {
            "frame": transition.middle,
            "time": times[transition.middle],
            "kind": transition.kind,
            "transition": [transition.start, transition.end],
            "confidence": transition.confidence,
        }
        for transition in sorted(transitions)
    ]
    for threshold in (0.01, 0.25, 0.5, 0.9):
        for min_shot in (0.0, 0.5):
            likely = [transition for transition in transitions if transition.confidence >= threshold]
            shots = shots_between(likely, times[:-1], times[-1], min_shot_s=min_shot)
            whole = {"total": 600, "first": 0, "duration": times[-1], "minShot": min_shot}
            drawn = script("shotsOf(likely(candidates, threshold), whole)", candidates=candidates, threshold=threshold, whole=whole)
            assert [[shot[name] for name in WHOLE] for shot in drawn] == [as_drawn(shot) for shot in shots]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip with two hard cuts, a dissolve and a flash."""
    frames, _ = cut_together([(30, "cut", 0), (40, "dissolve", 12), (40, "cut", 0), (30, None, 0)])
    frames[100] = np.full_like(frames[100], 240)
    return write(tmp_path_factory.mktemp("film") / "film.mp4", frames)


@pytest.mark.parametrize(
    ("method", "thresholds"), [("auto", (0.02, 0.99999)), ("difference", (3, 60)), ("content", (6, 40)), ("adaptive", (1.2, 8))]
)
def test_a_moved_threshold_gives_the_shots_of_a_new_job(
    script: Script, film: Path, tmp_path: Path, method: str, thresholds: tuple[float, float]
) -> None:
    def look(**params: object) -> list[Shot]:
        outputs = {name: tmp_path / name for name in ("gallery", "keyframes", "files")}
        return detect(DetectParams.model_validate({"method": method} | params), video=film, outputs=outputs).videos[0].shots

    usual, page = look(), Page()
    page.feed((tmp_path / "gallery").read_text())
    (body,) = page.videos
    scores = np.frombuffer(base64.b64decode(body["scores"]["values"][method]), "<f4").tolist()
    whole = {"total": body["frames"], "first": 0, "duration": body["duration"], "minShot": 0}
    samples = {"frames": list(range(len(scores))), "times": [frame / 25 for frame in range(len(scores))]}
    assert (body["candidates"] is not None) == (method == "auto")
    cut = "likely(candidates.map(unpackCandidate), threshold)" if body["candidates"] else "cutsOf(scores, threshold, samples)"
    counts = set()
    for threshold in (body["threshold"], *thresholds):
        drawn = script(
            f"shotsOf({cut}, whole)", scores=scores, candidates=body["candidates"], samples=samples, whole=whole, threshold=threshold
        )
        expected = look(threshold=threshold)
        assert [(shot["startFrame"], shot["kind"]) for shot in drawn] == [(shot.start_frame, shot.kind) for shot in expected]
        assert [shot["start"] for shot in drawn] == pytest.approx([shot.start_s for shot in expected])
        counts.add(len(expected))
    assert len(usual) in counts, "the thresholds are too close to change the shots"
    assert len(counts) > 1, "the thresholds are too close to change the shots"


def test_a_cut_within_a_transition_is_that_transition(script: Script) -> None:
    server_shots = [
        {"index": 0, "startFrame": 0, "kind": "start", "transition": [0, 0]},
        {"index": 1, "startFrame": 100, "kind": "dissolve", "transition": [90, 110]},
        {"index": 2, "startFrame": 200, "kind": "cut", "transition": [200, 200]},
    ]
    drawn = [
        {"index": index, "startFrame": frame, "kind": "cut", "transition": [frame] * 2} for index, frame in enumerate([0, 50, 95, 150, 200])
    ]
    drawn[0]["kind"] = "start"
    assert [shot["kind"] for shot in script("withKinds(drawn, server_shots)", drawn=drawn, server_shots=server_shots)] == [
        "start",
        "cut",
        "dissolve",
        "cut",
        "cut",
    ]


@pytest.mark.parametrize(
    ("rate", "drop"), [(NTSC, True), (NTSC, False), (Fraction(60000, 1001), True), (Fraction(25), False), (Fraction(120), False)]
)
def test_the_page_counts_timecode_like_the_server(script: Script, rate: Fraction, drop: bool) -> None:
    frames = [*range(0, 4000), *range(0, 24 * 3600 * round(rate), 9_973)]
    drawn = script("frames.map((frame) => timecode(frame, whole, drop))", frames=frames, whole=round(rate), drop=drop)
    assert drawn == [str(Timecode(frame, rate, drop)) for frame in frames]


@pytest.mark.parametrize(
    "report",
    [
        report_of([0, 40, 41, 1800, 2000], rate=NTSC, start_timecode="00:59:30;00", name="käse\u00a0\n*.mp4"),
        report_of(list(range(0, 30 * 1200, 30))),
        report_of(
            [0, 3, 4, 9], times=[0, 0.01, 0.02, 0.021, 0.022, 0.5, 0.9, 1.3, 1.31, 2.0], rate=Fraction(9, 2), variable_frame_rate=True
        ),
    ],
)
def test_lists_saved_from_the_page_equal_the_servers(script: Script, tmp_path: Path, report: VideoReport) -> None:
    video = page_of(tmp_path, report).videos[0]
    names = ["startFrame", "endFrame", "start", "end", "kind", "from", "to", "confidence"]
    shots = [dict(zip(names, shot, strict=True), index=index) for index, shot in enumerate(video["shots"])]
    arguments = {"video": video, "shots": shots}
    grid = FrameGrid(report)
    assert [row.split(",") for row in script("csv(video, shots)", **arguments).splitlines()] == [
        row.split(",")[:9] for row in shots_csv(grid).splitlines()
    ]
    ours = [[line for line in text.splitlines() if not line.startswith(("* LOC", "* COMMENT"))] for text in edls(grid)]
    assert [text.splitlines() for text in script("edls(video, shots)", **arguments)] == ours
    assert script("qpfile(video, shots)", **arguments) == qpfile(report)


def test_the_shot_at_a_time_is_found(script: Script) -> None:
    edges = [0.0, 0.5, 0.6, 2.0, 9.0]
    shots = [{"start": start, "end": end} for start, end in pairwise(edges)]
    assert script("[-1, 0, 0.49, 0.5, 0.61, 8.9, 99].map((time) => shotAt(shots, time))", shots=shots) == [0, 0, 0, 1, 2, 3, 3]
