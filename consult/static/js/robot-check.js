// Solve the ALTCHA challenge of a form in the background; without this script the form asks for a few seconds instead.
// <form data-robot-check="/address/of/the/challenge"> with a hidden input name="proof" and a [data-robot-status].
const form = document.querySelector("[data-robot-check]");

async function solve() {
  const proof = form.elements.proof;
  const status = form.querySelector("[data-robot-status]");
  try {
    const response = await fetch(form.dataset.robotCheck, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const challenge = await response.json();
    const worker = new Worker(new URL("robot-worker.js", import.meta.url));
    status.textContent = "Vérification anti-robot en cours…";
    worker.onmessage = ({ data }) => {
      proof.value = data ?? "";
      status.textContent = data ? "Vérification anti-robot terminée." : "";
      worker.terminate();
    };
    worker.onerror = () => (status.textContent = "");
    worker.postMessage(challenge);
  } catch {
    status.textContent = "";
  }
}

if (form && window.isSecureContext && window.Worker) solve();
