"""Responsiveness of the studio: sound delay, and main-thread work per input.

Sound against picture in a ramp's preview, and the work of the page for a drag or a key.
"""

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.material.clips import ffmpeg

RAMP = "speed-ramp.render"
MOVES = 90
WORDS = "a long name that nothing has"
FLASHES = "lt(mod(t\\,1)\\,0.1)*gte(t\\,0.5)"
WATCH = """
const heard = [], shown = [];
window.flashes = { heard, shown };
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...more) {
  if (!(target instanceof AudioDestinationNode)) return connect.call(this, target, ...more);
  const { context } = this;
  const analyser = new AnalyserNode(context, { fftSize: 256 });
  connect.call(this, analyser);
  connect.call(analyser, target);
  const samples = new Float32Array(256);
  let was = false;
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const is = samples.some((sample) => Math.abs(sample) > 0.05);
    if (is && !was) heard.push(performance.now() + 1000 * (context.outputLatency || context.baseLatency || 0));
    was = is;
  }, 4);
  return target;
};
let lit = false;
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...given) {
  draw.apply(this, given);
  if (this.canvas.className !== "ramp-canvas") return;
  const [level] = this.getImageData(this.canvas.width / 2, this.canvas.height / 2, 1, 1).data;
  if (level > 128 && !lit) requestAnimationFrame((now) => shown.push(now)); // drawn now, on the screen at the next frame
  lit = level > 128;
};
"""


def flash_clip(path: Path) -> Path:
    """Write a clip with a flash and a beep every second.

    Both begin at the same moment.
    """
    picture = f"color=black:s=320x180:r=30:d=7,drawbox=c=white:t=fill:enable='{FLASHES}'"
    sound = f"aevalsrc='0.6*sin(2*PI*1000*t)*{FLASHES}':s=48000:d=7"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path))
    return path


def sound_offsets(browser: Any, url: str, clip: str, speed: float) -> list[float]:
    """Play a clip; return the delay of each flash after its beep.

    Delays are in milliseconds, as displayed at `speed`.
    """
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(WATCH)
    page.goto(f"{url}/#/")
    draft = json.dumps({"params": {"curve": [{"t": 0, "speed": speed}]}, "inputs": {}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clip} {RAMP}", draft])
    page.goto(f"{url}/#/clip/{clip}/{RAMP}")
    page.reload()
    page.get_by_text("Measuring the motion").wait_for(state="detached")
    page.get_by_role("button", name="Play the ramp").click()
    page.get_by_text("on time", exact=False).wait_for()
    flashes = page.evaluate("window.flashes")
    context.close()
    return [min((flash - beep for beep in flashes["heard"]), key=abs) for flash in flashes["shown"]]


@contextmanager
def page_work(page: Any, count: int) -> Iterator[Callable[[], float]]:
    """Yield a function that returns the page's main-thread work per input.

    `count`: number of inputs in the block. Work is in milliseconds of processor time.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    before = busy()
    yield lambda: 1000 * (busy() - before) / count
    session.detach()


def drag_work(page: Any) -> float:
    """Drag a point of the curve; return the page's work per move in milliseconds.

    The point moves up and down.
    """
    box = page.locator(".point").nth(2).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    with page_work(page, MOVES) as work:
        for move in range(MOVES):
            page.mouse.move(x + move % 9, y - 20 + abs(move % 40 - 20))
        took = work()
    page.mouse.up()
    return took


def typing_work(page: Any) -> float:
    """Type into the library's search; return the page's work per key in milliseconds."""
    field = page.get_by_label("Search names")
    field.click()
    with page_work(page, len(WORDS)) as work:
        page.keyboard.type(WORDS)
        took = work()
    field.fill("")
    return took


def text_of(offsets: list[float]) -> str:
    """Format sound offsets as text: their median and largest value."""
    if not offsets:
        return "nothing was heard"
    return f"{statistics.median(offsets):+.0f} ms, at most {max(offsets, key=abs):+.0f} ms ({len(offsets)} flashes)"
