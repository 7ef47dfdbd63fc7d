// The drawn marks of a mask, and their conversion to pixels. A state never changes: every edit makes a new state, so undo is a list.

export const EMPTY = { points: [], box: null, base: null, strokes: [], isInverted: false };

/** Draw the mask of a state into a canvas, white on black. The server's mask comes first, then the strokes, then the inversion. */
export function drawMask(canvas, state) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.globalCompositeOperation = "source-over";
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  if (state.base) context.drawImage(state.base, 0, 0, width, height);
  for (const stroke of state.strokes) drawStroke(context, stroke, width, height);
  if (!state.isInverted) return;
  context.globalCompositeOperation = "difference";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
}

/** Draw a stroke: {adds, size, points: [[x, y]]}. Points are fractions of the picture, `size` of its width. */
function drawStroke(context, { adds, size, points }, width, height) {
  Object.assign(context, { strokeStyle: adds ? "#fff" : "#000", lineWidth: Math.max(1, size * width), lineCap: "round", lineJoin: "round" });
  context.beginPath();
  points.forEach(([x, y], index) => context[index ? "lineTo" : "moveTo"](x * width, y * height));
  if (points.length === 1) context.lineTo(points[0][0] * width + 0.01, points[0][1] * height);
  context.stroke();
}

export function isEmpty(state) {
  return !state.base && !state.strokes.length && !state.isInverted && !state.points.length && !state.box;
}

/** Paint a mask in a transparent colour, to show it over the picture. `mask`: a canvas of white on black; the target has its size. */
export function paintTint(context, mask, [red, green, blue]) {
  const { width, height } = context.canvas;
  const pixels = mask.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
  for (let at = 0; at < pixels.data.length; at += 4) {
    const covered = pixels.data[at];
    pixels.data[at] = red;
    pixels.data[at + 1] = green;
    pixels.data[at + 2] = blue;
    pixels.data[at + 3] = covered * 0.55;
  }
  context.putImageData(pixels, 0, 0);
}
