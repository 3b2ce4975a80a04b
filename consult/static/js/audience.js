// Tells the Matomo of this platform that a page is opened: its address without identifier, search nor token, and the
// domain it was opened from. No cookie, nothing kept here, no script of another site; nothing for who objects.
const { tracker, site, page } = document.currentScript.dataset;

function origin() {
  try {
    const from = new URL(document.referrer).origin;
    return from === location.origin ? "" : `${from}/`;
  } catch {
    return "";
  }
}

const objects =
  navigator.doNotTrack === "1" ||
  navigator.globalPrivacyControl === true ||
  /(?:^|; )audience-refusee=/.test(document.cookie);
if (!objects) {
  const told = new URLSearchParams({
    idsite: site,
    rec: "1",
    apiv: "1",
    send_image: "0",
    url: location.origin + page,
    action_name: page,
    rand: String(Math.random()).slice(2),
  });
  const from = origin();
  if (from) told.set("urlref", from);
  const sent = { method: "POST", body: told, mode: "no-cors", credentials: "omit", keepalive: true };
  fetch(tracker, { ...sent, referrerPolicy: "no-referrer" }).catch(() => {});
}
