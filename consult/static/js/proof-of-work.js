// The proof of work asked at sign-up: ALTCHA's own widget, with its solver in a worker and its words in French.
import "../dist/altcha/altcha.js";
import "../dist/altcha/fr-fr.js";

globalThis.$altcha.algorithms.set("SHA-256", () => new Worker(new URL("../dist/altcha/sha.js", import.meta.url)));
