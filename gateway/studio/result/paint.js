// Drawing of two frames: wipe, side by side, flip, difference; and the ways to look at a matte.

/** The factor by which a difference is amplified: a power of two. */
export const DIFFERENCE = 4;

/** Paint source and result into a canvas context. `at`: the wipe's place, 0 to 1. */
export function paintPair(context, mode, { before, after }, at) {
  const { width, height } = context.canvas;
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, width, height);
  if (mode === "result" || !before) return fit(context, after, 0, width);
  if (mode === "source") return fit(context, before, 0, width);
  if (mode === "side") {
    fit(context, before, 0, width / 2);
    return fit(context, after, width / 2, width / 2);
  }
  if (mode === "difference") {
    fit(context, before, 0, width);
    context.globalCompositeOperation = "difference";
    fit(context, after, 0, width);
    context.globalCompositeOperation = "lighter"; // the canvas over itself: twice as bright
    for (let doubled = 1; doubled < DIFFERENCE; doubled *= 2) context.drawImage(context.canvas, 0, 0);
    context.globalCompositeOperation = "source-over";
    return undefined;
  }
  fit(context, before, 0, width);
  context.save();
  context.beginPath();
  context.rect(width * at, 0, width, height);
  context.clip();
  fit(context, after, 0, width);
  context.restore();
  return undefined;
}

/** Draw a frame as large as it fits into a column of the canvas. */
function fit(context, frame, x, width) {
  const { height } = context.canvas;
  const [w, h] = [frame.displayWidth, frame.displayHeight];
  const scale = Math.min(width / w, height / h);
  context.drawImage(frame, x + (width - w * scale) / 2, (height - h * scale) / 2, w * scale, h * scale);
}

/**
 * Paint a packed frame (picture above, matte below). `view`: gray|checker|colour|overlay|picture; `colour`: CSS colour;
 * `behind`: {picture, width, height}, or null. `scratch`: a canvas for the cut-out.
 */
export function paintMatte(context, view, frame, { colour, behind, scratch }) {
  const { width, height } = context.canvas;
  const [w, h] = [frame.displayWidth, frame.displayHeight / 2];
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, width, height);
  if (view === "gray") return void context.drawImage(frame, 0, h, w, h, 0, 0, width, height);
  paintBackground(context, view, { colour, behind, frame, w, h });
  context.drawImage(cutOut(scratch, frame, w, h, width, height, view === "overlay" ? colour : null), 0, 0);
  return undefined;
}

function paintBackground(context, view, { colour, behind, frame, w, h }) {
  const { width, height } = context.canvas;
  if (view === "overlay") return void context.drawImage(frame, 0, 0, w, h, 0, 0, width, height);
  if (view === "picture" && behind) {
    const scale = Math.max(width / behind.width, height / behind.height);
    const [bw, bh] = [behind.width * scale, behind.height * scale];
    return void context.drawImage(behind.picture, (width - bw) / 2, (height - bh) / 2, bw, bh);
  }
  if (view === "checker") {
    const size = Math.max(8, Math.round(width / 60));
    for (let y = 0; y < height; y += size)
      for (let x = 0; x < width; x += size) {
        context.fillStyle = (x / size + y / size) % 2 ? "#bbb" : "#eee";
        context.fillRect(x, y, size, size);
      }
    return undefined;
  }
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return undefined;
}

/** Draw the subject without its background, or the matte in a colour. The matte's grey becomes opacity. */
function cutOut(scratch, frame, w, h, width, height, tint) {
  scratch.width = width;
  scratch.height = height;
  const context = scratch.getContext("2d", { willReadFrequently: true });
  context.drawImage(frame, 0, h, w, h, 0, 0, width, height);
  const matte = context.getImageData(0, 0, width, height);
  context.drawImage(frame, 0, 0, w, h, 0, 0, width, height);
  const picture = context.getImageData(0, 0, width, height);
  const [red, green, blue] = tint ? [1, 3, 5].map((at) => parseInt(tint.slice(at, at + 2), 16)) : [];
  for (let at = 0; at < matte.data.length; at += 4) {
    const opacity = matte.data[at];
    if (tint) {
      picture.data[at] = red;
      picture.data[at + 1] = green;
      picture.data[at + 2] = blue;
    }
    picture.data[at + 3] = tint ? opacity * 0.55 : opacity;
  }
  context.putImageData(picture, 0, 0);
  return scratch;
}
