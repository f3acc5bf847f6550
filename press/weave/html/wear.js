(() => {
  try {
    const root = document.documentElement;
    const theme = localStorage.getItem("theme");
    if (["light", "dark"].includes(theme)) root.dataset.theme = theme;
    const size = JSON.parse(localStorage.getItem("text-size"));
    if ([90, 112, 125].includes(size)) root.style.fontSize = `${size}%`;
  } catch {}
})();
