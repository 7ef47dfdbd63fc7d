// What the pointer does on the timeline: go to a time, move the threshold, zoom, pan.

const NEAR = 9; // pixels from the threshold's line that take hold of it
const WHEEL = 0.0022;

/** `act`: seek(time), hover(time, event | null), threshold(value), changed() where the view has moved. */
export function handle(timeline, act) {
  const { canvas, overview } = timeline;
  const pointers = new Map();
  let held = null; // "time" or "threshold"

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onThreshold = ({ y }) => y > timeline.curve.top - NEAR && Math.abs(y - timeline.y(timeline.threshold)) < NEAR;
  const drag = (event) => {
    const { x, y } = place(event);
    if (held === "threshold") act.threshold(timeline.scoreAtY(y));
    if (held === "time") act.seek(timeline.view.time(x));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
    held = pointers.size > 1 ? null : onThreshold(place(event)) ? "threshold" : "time";
    if (held) drag(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (pointers.size === 2 && before) pinch(before, event);
    else if (before) drag(event);
    else if (event.pointerType !== "touch") {
      canvas.style.cursor = onThreshold(place(event)) ? "ns-resize" : "pointer";
      act.hover(timeline.view.time(place(event).x), event);
    }
    if (before) pointers.set(event.pointerId, event);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    held = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => act.hover(null, null));
  canvas.addEventListener(
    "wheel",
    (event) => {
      const { view } = timeline;
      const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 16 : 1)), view.time(place(event).x));
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) view.pan((sideways / view.width) * view.span);
      else return; // the page scrolls
      event.preventDefault();
      act.changed();
    },
    { passive: false },
  );

  function pinch(before, event) {
    const other = [...pointers.values()].find((one) => one.pointerId !== event.pointerId);
    const { view } = timeline;
    const [gap, was] = [Math.abs(event.clientX - other.clientX), Math.abs(before.clientX - other.clientX)];
    const middle = place({ clientX: (event.clientX + other.clientX) / 2, clientY: 0 }).x;
    if (was > 8 && gap > 8) view.zoom(gap / was, view.time(middle));
    view.pan((-(event.clientX - before.clientX) / 2 / view.width) * view.span);
    act.changed();
  }

  let dragging = false;
  const centre = (event) => {
    const box = overview.getBoundingClientRect();
    const { view } = timeline;
    const time = ((event.clientX - box.left) / box.width) * view.duration;
    if (view.nearness <= 1.001) act.seek(Math.min(Math.max(time, 0), view.duration));
    else view.pan(time - view.start - view.span / 2);
    act.changed();
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
