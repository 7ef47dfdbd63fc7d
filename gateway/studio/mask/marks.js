// Drawing of clicks and the cursor over the picture.

/** @type {[string, number][]} */
const RING = [["#000", 3.5], ["#fff", 1.5]]; // colours and widths: seen on dark and on light pictures
const DOT = 7; // radius of a click
const SIGN = 3.5; // half of the length of a plus or minus

/** Draw the cursor: the brush's ring, or a cross without a brush. @param {any} context  @param {number[]} place  @param {number} radius */
export function drawCursor(context, [x, y], radius) {
  for (const [strokeStyle, lineWidth] of RING) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.beginPath();
    if (radius) context.arc(x, y, radius, 0, 2 * Math.PI);
    else for (const [dx, dy] of [[12, 0], [0, 12]]) {
      context.moveTo(x - dx, y - dy);
      context.lineTo(x + dx, y + dy);
    }
    context.stroke();
  }
}

/** Draw a click: a plus on the subject, a minus beside it. @param {any} context  @param {number[]} place  @param {number} sign */
export function drawDot(context, [x, y], sign) {
  Object.assign(context, { fillStyle: sign === 1 ? "#12a150" : "#d92d20", strokeStyle: "#fff", lineWidth: 2 });
  context.beginPath();
  context.arc(x, y, DOT, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.beginPath();
  context.moveTo(x - SIGN, y);
  context.lineTo(x + SIGN, y);
  if (sign === 1) {
    context.moveTo(x, y - SIGN);
    context.lineTo(x, y + SIGN);
  }
  context.stroke();
}
