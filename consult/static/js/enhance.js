// Progressive enhancement only: every page works without this file.

// A form bearing data-live-target="ID" is sent in the background; the element of that id (data-live) is replaced by the
// one of the page the server answers with (it redirects as for everyone). Whatever goes wrong, the form is sent normally.
let announcer;

function announce(text) {
  if (!announcer) {
    announcer = document.createElement("p");
    announcer.className = "visually-hidden";
    announcer.setAttribute("role", "status");
    document.body.append(announcer);
  }
  announcer.textContent = "";
  setTimeout(() => (announcer.textContent = text), 50);
}

function sendNormally(form, button) {
  form.dataset.plain = "";
  delete form.dataset.sent;
  form.requestSubmit(button);
}

async function refresh(form, button, region) {
  region.setAttribute("aria-busy", "true");
  let response, fresh, page;
  try {
    response = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, button)),
      credentials: "same-origin",
      headers: { Accept: "text/html" },
    });
    page = new DOMParser().parseFromString(await response.text(), "text/html");
    fresh = page.getElementById(region.id);
  } catch {
    region.removeAttribute("aria-busy");
    return sendNormally(form, button);
  }
  if (response.ok && !fresh) return location.assign(response.url);
  if (!response.ok) {
    region.removeAttribute("aria-busy");
    return sendNormally(form, button);
  }
  const place = [...region.querySelectorAll("button, a[href]")].indexOf(button);
  const node = document.importNode(fresh, true);
  region.replaceWith(node);
  enhance(node);
  const same = button?.name && [...node.querySelectorAll("button")].find((one) => one.name === button.name && one.value === button.value);
  (same || node.querySelectorAll("button, a[href]")[place] || node.querySelector("button, a[href]"))?.focus();
  const said = [...page.querySelectorAll("[data-flashes] .alert-body")].map((one) => one.textContent.trim()).join(" ");
  announce(said || node.dataset.live || "Enregistré.");
  setTimeout(() => recount(response.url, node.id), COUNTED_WITHIN);
}

// An act enters the displayed figures once it has its place in the public registry, a moment later.
const COUNTED_WITHIN = 1200;

async function recount(address, id) {
  const region = document.getElementById(id);
  try {
    const response = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
    const counts = [...(fresh?.querySelectorAll("[data-live-count]") ?? [])];
    region?.querySelectorAll("[data-live-count]").forEach((old, i) => counts[i] && old.replaceWith(document.importNode(counts[i], true)));
  } catch {
    // The figures stay as they are: they say at which position they stand.
  }
}

function refreshInPlace() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const region = form.dataset.liveTarget && document.getElementById(form.dataset.liveTarget);
    if (!region || form.dataset.plain !== undefined || event.defaultPrevented) return;
    event.preventDefault();
    refresh(form, event.submitter, region);
  });
}

// A part to unfold becomes a button and a modal dialog (native: focus kept inside, Escape closes, focus comes back).
function enhanceDialogs(root) {
  for (const details of root.querySelectorAll("details[data-dialog]")) {
    const body = details.querySelector(".disclosure-body");
    const opener = document.createElement("button");
    opener.type = "button";
    opener.className = details.dataset.dialogClass;
    opener.textContent = details.querySelector("summary").textContent.trim();
    opener.setAttribute("aria-haspopup", "dialog");

    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    dialog.id = details.id;
    dialog.setAttribute("aria-labelledby", `${details.id}-title`);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-link btn-sm";
    close.textContent = "Fermer";
    close.addEventListener("click", () => dialog.close());
    const head = document.createElement("div");
    head.className = "dialog-head";
    head.append(body.querySelector(`[id="${details.id}-title"]`), close);
    dialog.append(head, ...body.childNodes);

    opener.addEventListener("click", () => dialog.showModal());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    details.replaceWith(opener, dialog);
    if (details.open) dialog.showModal();
  }
}

// Panels of one page as tabs (WAI-ARIA pattern, activation follows the focus).
function enhanceTabs(root) {
  for (const box of root.querySelectorAll("[data-tabs]:not([data-ready])")) {
    box.dataset.ready = "";
    const tabs = [...box.querySelectorAll(":scope > .tab-list a")];
    const panels = tabs.map((tab) => document.getElementById(tab.hash.slice(1)));
    const select = (index, focus) => {
      tabs.forEach((tab, i) => {
        tab.setAttribute("aria-selected", String(i === index));
        tab.tabIndex = i === index ? 0 : -1;
        panels[i].hidden = i !== index;
      });
      if (!focus) return;
      tabs[index].focus();
      history.replaceState(null, "", tabs[index].hash);
    };
    box.querySelector(".tab-list").setAttribute("role", "tablist");
    tabs.forEach((tab, i) => {
      tab.parentElement.setAttribute("role", "presentation");
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panels[i].id);
      panels[i].setAttribute("role", "tabpanel");
      panels[i].tabIndex = 0;
      tab.addEventListener("click", (event) => {
        event.preventDefault();
        select(i, true);
      });
      tab.addEventListener("keydown", (event) => {
        const last = tabs.length - 1;
        const next = { ArrowRight: i === last ? 0 : i + 1, ArrowLeft: i === 0 ? last : i - 1, Home: 0, End: last }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        select(next, true);
      });
    });
    const wanted = panels.findIndex((panel) => location.hash && panel.querySelector(`[id="${CSS.escape(location.hash.slice(1))}"]`));
    select(Math.max(0, wanted, tabs.findIndex((tab) => tab.hash === location.hash)), false);
  }
}

// Character counters, passwords that can be shown, and a guard against a second click on a form being sent.
const figures = new Intl.NumberFormat("fr-FR");

// Browsers send a line break as two characters, and the server counts one: count what the server will count.
const lengthOf = (text) => [...text.replaceAll("\r\n", "\n")].length;

function words(left) {
  const plural = Math.abs(left) > 1 ? "s" : "";
  if (left < 0) return `${figures.format(-left)} caractère${plural} de trop : raccourcissez le texte.`;
  return `${figures.format(left)} caractère${plural} encore possible${plural}.`;
}

function count(line) {
  const field = document.getElementById(line.dataset.countFor);
  const limit = Number(field?.dataset.maxlength);
  if (!limit) return;
  // Read aloud only once the person stops typing.
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.setAttribute("role", "status");
  line.after(spoken);
  let timer;
  const show = () => {
    const left = limit - lengthOf(field.value);
    line.textContent = words(left);
    line.classList.toggle("is-over", left < 0);
    clearTimeout(timer);
    if (left < limit / 10) timer = setTimeout(() => (spoken.textContent = words(left)), 1000);
  };
  field.addEventListener("input", show);
  if (field.value) show();
}

// What is left of the points of a ballot; `labels.points_left` says the same before they are typed.
function pointsLeft(form) {
  const line = form.querySelector("[data-points-left]");
  const all = Number(form.dataset.points);
  const show = () => {
    const given = [...form.querySelectorAll("input[type=number]")].reduce((sum, one) => sum + (Number(one.value) || 0), 0);
    const left = all - given;
    const plural = Math.abs(left) > 1 ? "s" : "";
    line.textContent =
      left < 0
        ? `${-left} point${plural} de trop\u00a0: vous en avez ${all} à répartir.`
        : `Il vous reste ${left} point${plural} sur ${all}.`;
    line.classList.toggle("is-over", left < 0);
  };
  form.addEventListener("input", show);
  show();
}

function revealable(box) {
  const field = box.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-secondary";
  button.textContent = "Afficher";
  button.setAttribute("aria-label", "Afficher le mot de passe");
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-controls", field.id);
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
  field.form?.addEventListener("submit", () => (field.type = "password"));
  box.append(button);
}

// The buttons are not disabled (their name and value must be sent): a second submission is refused instead.
function sentOnce(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    form.setAttribute("aria-busy", "true");
  });
}

// What others have said of the same, asked for when the person stops typing; the button that asks for it goes.
function comparable(region) {
  const form = region.closest("form");
  form.querySelector(`[formaction^="${region.dataset.similar}"]`)?.remove();
  let timer, asked;
  const ask = async () => {
    const body = new URLSearchParams(new FormData(form)).toString();
    if (body === asked || !form.elements.title.value.trim()) return;
    asked = body;
    try {
      const headers = { Accept: "text/html", "Content-Type": "application/x-www-form-urlencoded" };
      const response = await fetch(region.dataset.similar, { method: "POST", body, credentials: "same-origin", headers });
      if (!response.ok || asked !== body) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(region.id);
      if (fresh.innerHTML !== region.innerHTML) region.replaceChildren(...document.importNode(fresh, true).childNodes);
    } catch {
      // Nothing to compare with: writing goes on.
    }
  };
  form.elements.title.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 900);
  });
}

function enhanceForms(root) {
  root.querySelectorAll("[data-count-for]").forEach(count);
  root.querySelectorAll("form[data-points]").forEach(pointsLeft);
  root.querySelectorAll("[data-password]").forEach(revealable);
  root.querySelectorAll("[data-similar]").forEach(comparable);
  root.querySelectorAll('form[method="post" i]').forEach(sentOnce);
}

// Coming back with the « Back » button finds forms that can be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// The button that unfolds the two menus on a phone (hidden by the style sheet elsewhere).
function enhanceMenu() {
  const header = document.querySelector("[data-menu]");
  const toggle = header?.querySelector("[data-menu-toggle]");
  if (!toggle) return;
  const set = (open) => {
    header.classList.toggle("is-open", open);
    toggle.setAttribute("aria-expanded", String(open));
  };
  toggle.addEventListener("click", () => set(!header.classList.contains("is-open")));
  header.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && header.classList.contains("is-open")) {
      set(false);
      toggle.focus();
    }
  });
  // The skip link leads to the menu: it must not lead to something folded.
  document.querySelector('.skip-links a[href="#navigation"]')?.addEventListener("click", () => set(true));
}

// A block of code, or an address, gets a button that copies it, where the browser may.
function copyable(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-secondary btn-sm mt-2";
  button.textContent = "Copier";
  button.setAttribute("aria-label", `Copier : ${block.dataset.copy}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText((block.value ?? block.textContent).trim());
      announce("Copié.");
      button.textContent = "Copié";
    } catch {
      announce("La copie n’est pas permise : sélectionnez le texte.");
    }
  });
  block.after(button);
}

function enhance(root) {
  if (navigator.clipboard) root.querySelectorAll("[data-copy]").forEach(copyable);
  enhanceDialogs(root);
  enhanceForms(root);
  enhanceTabs(root);
}

enhanceMenu();
refreshInPlace();
enhance(document);
document.querySelector("[data-error-summary]")?.focus();
