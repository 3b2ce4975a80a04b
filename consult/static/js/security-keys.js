// Security keys (WebAuthn): the browser asks the key, the form takes the answer to the server. Without this file, or
// where the browser knows of no key, these forms stay hidden: one-time codes and recovery codes remain.

const SENTENCES = {
  InvalidStateError: "Cette clé est déjà enregistrée pour votre compte.",
  NotAllowedError: "La clé n’a pas répondu à temps, ou n’est pas une de celles de ce compte. Recommencez.",
  SecurityError: "Votre navigateur refuse les clés de sécurité à cette adresse du site. Donnez un code.",
};
const OTHERWISE = "Votre navigateur n’a pas pu lire cette clé. Recommencez, ou donnez un code.";

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

function text(buffer) {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function asked(json) {
  const options = JSON.parse(json);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const listed of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])]) listed.id = bytes(listed.id);
  return options;
}

function answer(credential) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const given = parts.filter((part) => credential.response[part]).map((part) => [part, text(credential.response[part])]);
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(given),
  });
}

function tell(form, sentence) {
  const line = document.createElement("p");
  line.className = "form-error";
  line.textContent = sentence;
  form.querySelector("[data-security-key-error]").replaceChildren(line);
}

async function ask(event) {
  const form = event.target.closest("form[data-security-key]");
  // A name that is missing is the server's to tell, before anybody touches a key.
  if (!form || form.dataset.answered !== undefined || form.elements.name?.value.trim() === "") return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  button.disabled = true;
  try {
    const ceremony = form.dataset.securityKey;
    const credential = await navigator.credentials[ceremony]({ publicKey: asked(form.dataset.options) });
    form.elements.credential.value = answer(credential);
    form.dataset.answered = "";
  } catch (error) {
    tell(form, SENTENCES[error.name] ?? OTHERWISE);
  }
  button.disabled = false;
  if (form.dataset.answered !== undefined) form.requestSubmit(button);
  else button.focus();
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-security-key]")) form.hidden = false;
  document.addEventListener("submit", ask, true); // before the guard against sending twice
}
