// Look for the number whose SHA-256 with the salt is the challenge; answers the ALTCHA payload in base64.
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

onmessage = async ({ data: { algorithm, challenge, salt, signature, maxNumber } }) => {
  const encoder = new TextEncoder();
  for (let number = 0; number <= maxNumber; number += 1) {
    if (hex(await crypto.subtle.digest(algorithm, encoder.encode(salt + number))) === challenge) {
      postMessage(btoa(JSON.stringify({ algorithm, challenge, number, salt, signature })));
      return;
    }
  }
  postMessage(null);
};
