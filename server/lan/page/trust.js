// Tells whether the device trusts the certificate already: a request to the app's
// own address comes through only then.
"use strict";
const app = document.body.dataset.app;
const state = document.getElementById("state");

async function check() {
  try {
    await fetch(app + "/healthz", { mode: "no-cors", cache: "no-store" });
    state.textContent = "This device trusts the certificate. Open Parley.";
    state.className = "good";
  } catch {
    state.textContent = "This device does not trust the certificate yet. Follow the steps below.";
    state.className = "";
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") check();
});
check();
