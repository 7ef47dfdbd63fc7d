// The keys of editing programs: J K L, space, arrows, Home, End, M, F.

const SPEEDS = [1, 2, 4, 8];

/** Control a viewer with the page's keys until `signal` aborts. */
export function driveByKeys(viewer, signal) {
  const onKey = (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || isTaken(event)) return;
    const action = actionOf(event, viewer);
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", onKey, { signal });
}

/** Return whether the focused control needs the key itself. */
function isTaken({ target, key }) {
  if (document.querySelector("dialog[open]")) return true;
  if (target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [data-keys=own]")) return true;
  if (target.closest("[type=radio]") && key.startsWith("Arrow")) return true;
  return (key === " " || key === "Enter") && Boolean(target.closest("button, a, summary, input, label"));
}

function actionOf({ key, shiftKey }, viewer) {
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case " ":
      return () => viewer.toggle();
    case "k":
      return () => viewer.pause();
    case "l":
      return () => viewer.shuttle(nextSpeed(viewer.speed, 1));
    case "j":
      return () => viewer.shuttle(nextSpeed(viewer.speed, -1));
    case "ArrowLeft":
    case ",":
      return () => viewer.step(shiftKey ? -10 : -1);
    case "ArrowRight":
    case ".":
      return () => viewer.step(shiftKey ? 10 : 1);
    case "Home":
      return () => viewer.seek(0);
    case "End":
      return () => viewer.seek(viewer.duration);
    case "m":
      return () => viewer.mute();
    case "f":
      return () => viewer.fullscreen();
    default:
      return null;
  }
}

/** Return the playback speed after J or L is pressed. Every press in the same direction makes it faster. */
function nextSpeed(speed, direction) {
  if (Math.sign(speed) !== direction) return direction;
  const index = SPEEDS.indexOf(Math.abs(speed));
  return direction * SPEEDS[Math.min(index + 1, SPEEDS.length - 1)];
}
