// The choice of light or dark colours. Without a choice, the page follows the system.

const KEPT_AS = "reelwright-theme";

export function applyTheme() {
  const chosen = localStorage.getItem(KEPT_AS);
  if (chosen) document.documentElement.dataset.theme = chosen;
}

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function toggleTheme() {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem(KEPT_AS, next);
}
