// The icons, as SVG paths on a grid of 24 by 24.

import { svg } from "./html.js";

const PATHS = {
  add: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  brush: "M4 20c3 0 5-1 5-4 0-1.500-1-2.500-2.500-2.500S4 14.500 4 16v4zM9.500 14.500L19 5l1 1-9.500 9.500",
  check: "M5 12.500l4.500 4.500L19 7",
  close: "M6 6l12 12M18 6L6 18",
  compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
  cut: "M6 6l12 12M6 18L18 6M6 8a2 2 0 100-4 2 2 0 000 4zM6 20a2 2 0 100-4 2 2 0 000 4z",
  down: "M6 9l6 6 6-6",
  download: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9.700h4M4 14.300h4M16 9.700h4M16 14.300h4",
  frames: "M4 7h13v12H4zM7 4h13v12",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  jobs: "M5 6h14M5 12h14M5 18h9",
  key: "M12 14a4 4 0 11-8 0 4 4 0 018 0M10.800 11.200L19 3M15 7l3 3",
  layers: "M12 4l9 5-9 5-9-5zM3 14l9 5 9-5",
  link: "M10 14a4 4 0 005.700 0l3-3A4 4 0 0013 5.300l-1 1M14 10a4 4 0 00-5.700 0l-3 3A4 4 0 0011 18.700l1-1",
  loop: "M17 3l3 3-3 3M4 11V9a3 3 0 013-3h13M7 21l-3-3 3-3M20 13v2a3 3 0 01-3 3H4",
  moon: "M19 14.500A7.500 7.500 0 119.500 5a6 6 0 009.500 9.500z",
  mute: "M4 9.500v5h3.500L12 19V5L7.500 9.500zM16 9.500l5 5M21 9.500l-5 5",
  next: "M7 5l9 7-9 7zM18 5v14",
  path: "M5 6h6a3 3 0 013 3v6a3 3 0 003 3h2M5 6m-2 0a2 2 0 104 0 2 2 0 10-4 0M19 18m-2 0a2 2 0 104 0 2 2 0 10-4 0",
  pause: "M8 5v14M16 5v14",
  pen: "M4 20l1-4L16 5l3 3L8 19z",
  person: "M12 11a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM5 20c0-4 3-6.500 7-6.500s7 2.500 7 6.500",
  pin: "M12 21s6-5.500 6-11a6 6 0 10-12 0c0 5.500 6 11 6 11zM12 12a2 2 0 100-4 2 2 0 000 4z",
  play: "M7 5l12 7-12 7z",
  previous: "M17 5l-9 7 9 7zM6 5v14",
  ramp: "M3 17c4 0 5-10 9-10s4 6 9 6",
  redo: "M18 9l-4-4M18 9l-4 4M18 9H9a4.500 4.500 0 000 9h3",
  retry: "M19 12a7 7 0 11-2-5l2 2M19 4v5h-5",
  search: "M10.500 17a6.500 6.500 0 100-13 6.500 6.500 0 000 13zM15.500 15.500L20 20",
  sound: "M4 9.500v5h3.500L12 19V5L7.500 9.500zM15.500 9a4 4 0 010 6M18 6.500a8 8 0 010 11",
  sparkle: "M12 3l2 6 6 2-6 2-2 7-2-7-6-2 6-2z",
  star: "M12 4l2.400 5.200 5.600.6-4.200 3.800 1.200 5.600-5-2.900-5 2.900 1.200-5.600L4 9.800l5.600-.6z",
  sun: "M12 16a4 4 0 100-8 4 4 0 000 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M18.400 5.600L17 7M7 17l-1.400 1.400",
  trails: "M15 12a4 4 0 108 0 4 4 0 10-8 0M9 12a4 4 0 014-4M9 12a4 4 0 004 4M3 12a4 4 0 014-4M3 12a4 4 0 004 4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  undo: "M6 9l4-4M6 9l4 4M6 9h9a4.500 4.500 0 010 9h-3",
  upload: "M12 16V5M7 9.500l5-5 5 5M5 20h14",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.500",
};

/** Return the icon `name` as SVG, hidden from assistive technology. */
export function icon(name) {
  return svg`<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]}></path></svg>`;
}
