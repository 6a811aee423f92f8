// Dark or light: remembered, from the system's preference at first, toggled by the button "theme-toggle".

const KEY = "wellstream-theme";
const BUTTON = "theme-toggle";

/** The theme to begin with: what was remembered, else what the system prefers. */
export function initial(remembered, prefersDark) {
  if (remembered === "dark" || remembered === "light") return remembered;
  return prefersDark ? "dark" : "light";
}

export function other(theme) {
  return theme === "dark" ? "light" : "dark";
}

function show(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById(BUTTON)?.setAttribute("aria-pressed", String(theme === "dark"));
}

function toggle() {
  const theme = other(document.documentElement.dataset.theme);
  show(theme);
  localStorage.setItem(KEY, theme);
}

if (typeof document !== "undefined") {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  show(initial(localStorage.getItem(KEY), system.matches));
  system.addEventListener("change", () => show(initial(localStorage.getItem(KEY), system.matches)));
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(`#${BUTTON}`) !== null) toggle();
  });
}
