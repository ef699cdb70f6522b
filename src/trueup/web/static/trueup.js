// What every page needs before it is drawn: theme, clock, keys, and whether the server is there.
(() => {
  const root = document.documentElement;
  const me = document.currentScript;
  const prefix = me.dataset.prefix;

  const chosen = () => localStorage.getItem("trueup-theme");
  const preferred = () => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  const dress = () => (root.dataset.theme = chosen() ?? preferred());
  dress();
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", dress);

  // Microseconds of the account's clock, whatever this machine's clock says.
  let shift = Number(me.dataset.now) - Date.now() * 1000;
  const trueup = (window.trueup = {
    now: () => Date.now() * 1000 + shift,
    set: (now) => (shift = now - Date.now() * 1000),
    age(seconds) {
      const sizes = [[86400, "d"], [3600, "h"], [60, "min"]];
      for (const [size, word] of sizes) if (seconds >= size) return `${Math.floor(seconds / size)} ${word}`;
      return `${Math.floor(seconds)} s`;
    },
    toggleTheme() {
      localStorage.setItem("trueup-theme", root.dataset.theme === "dark" ? "light" : "dark");
      dress();
    },
  });

  const places = { o: "/", p: "/positions", f: "/orders", s: "/settlements", r: "/reconciliation", m: "/markets", a: "/arbitrage", b: "/bot", w: "/reports", y: "/system" };
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const filter = document.querySelector("input.filter");
      if (filter) {
        event.preventDefault();
        filter.focus();
      }
    } else if (event.key === "t") trueup.toggleTheme();
    else if (event.key === "?") document.querySelector("[data-help]")?.click();
    else if (event.key === "g") going = Date.now();
    else if (places[event.key] && Date.now() - going < 1500) location.assign(prefix + places[event.key]);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-theme-button]")) trueup.toggleTheme();
  });

  // A page without its server shows figures of the past: it must say so.
  let lost = 0;
  setInterval(() => {
    const there = window.socket === undefined || window.socket.connected;
    if (there) lost = 0;
    else lost = lost || Date.now();
    document.body?.classList.toggle("disconnected", lost > 0 && Date.now() - lost > 700);
    const told = document.getElementById("lost-since");
    if (told && lost) told.textContent = trueup.age((Date.now() - lost) / 1000);
  }, 300);
})();
