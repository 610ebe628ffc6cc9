"use strict";
document.getElementById("again").addEventListener("click", () => window.location.reload());
new MutationObserver((_changes, watching) => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys && document.body.classList.contains("-first-byte")) {
    keys.focus(); // what is typed first is typed into the console
    watching.disconnect();
  }
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });
