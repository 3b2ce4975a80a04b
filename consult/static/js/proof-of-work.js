// The proof of work asked where no account is: ALTCHA's own widget, with its solver in a worker and its words in French.
import "../dist/altcha/altcha.js";
import "../dist/altcha/fr-fr.js";

globalThis.$altcha.algorithms.set("SHA-256", () => new Worker(new URL("../dist/altcha/sha.js", import.meta.url)));

// Whoever fills the form faster than the computation ends waits for it, without being told to try again; a button that
// asks for no proof (data-unproven) waits for nothing.
document.addEventListener(
  "submit",
  (event) => {
    const widget = event.target.querySelector("altcha-widget");
    if (widget?.getState?.() !== "verifying" || event.submitter?.hasAttribute("data-unproven")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    widget.addEventListener("statechange", () => setTimeout(() => event.target.requestSubmit(event.submitter)), { once: true });
  },
  true,
);
