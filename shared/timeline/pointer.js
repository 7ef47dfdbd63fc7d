// Mouse, pen and touch on the timeline: seek, move the threshold, zoom, pan.

const GRAB_PIXELS = 9; // distance at which the threshold line can be grabbed
const WHEEL_ZOOM = 0.0022; // logarithm of the zoom factor, per pixel of the wheel

/** Call the functions of `actions` on pointer input. They are seek(time), hover(time, event | null), threshold(value), and moved() after the view moved. */
export function handlePointer(timeline, actions) {
  const { canvas, overview } = timeline;
  const pointers = new Map();
  let dragged = null; // "time" or "threshold"

  const position = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onThreshold = ({ y }) => y > timeline.curve.top - GRAB_PIXELS && Math.abs(y - timeline.y(timeline.threshold)) < GRAB_PIXELS;
  const drag = (event) => {
    const { x, y } = position(event);
    if (dragged === "threshold") actions.threshold(timeline.scoreAtY(y));
    if (dragged === "time") actions.seek(timeline.view.time(x));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
    dragged = pointers.size > 1 ? null : onThreshold(position(event)) ? "threshold" : "time";
    if (dragged) drag(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (pointers.size === 2 && before) pinch(before, event);
    else if (before) drag(event);
    else if (event.pointerType !== "touch") {
      canvas.style.cursor = onThreshold(position(event)) ? "ns-resize" : "pointer";
      actions.hover(timeline.view.time(position(event).x), event);
    }
    if (before) pointers.set(event.pointerId, event);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    dragged = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => actions.hover(null, null));
  canvas.addEventListener(
    "wheel",
    (event) => {
      const { view } = timeline;
      const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(-event.deltaY * WHEEL_ZOOM * (event.deltaMode ? 16 : 1)), view.time(position(event).x));
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) view.pan((sideways / view.width) * view.span);
      else return; // the page scrolls
      event.preventDefault();
      actions.moved();
    },
    { passive: false },
  );

  function pinch(before, event) {
    const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
    const { view } = timeline;
    const [gap, gapBefore] = [Math.abs(event.clientX - other.clientX), Math.abs(before.clientX - other.clientX)];
    const middle = position({ clientX: (event.clientX + other.clientX) / 2, clientY: 0 }).x;
    if (gapBefore > 8 && gap > 8) view.zoom(gap / gapBefore, view.time(middle));
    view.pan((-(event.clientX - before.clientX) / 2 / view.width) * view.span);
    actions.moved();
  }

  let dragging = false;
  const centre = (event) => {
    const box = overview.getBoundingClientRect();
    const { view } = timeline;
    const time = ((event.clientX - box.left) / box.width) * view.duration;
    if (view.magnification <= 1.001) actions.seek(Math.min(Math.max(time, 0), view.duration));
    else view.pan(time - view.start - view.span / 2);
    actions.moved();
  };
  overview.addEventListener("pointerdown", (event) => {
    dragging = true;
    overview.setPointerCapture(event.pointerId);
    centre(event);
  });
  overview.addEventListener("pointermove", (event) => dragging && centre(event));
  overview.addEventListener("pointerup", () => (dragging = false));
  overview.addEventListener("pointercancel", () => (dragging = false));
}
