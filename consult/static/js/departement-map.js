// A map beside a list of départements: choosing on one chooses on the other. The list alone is sent; without this file,
// or without the drawing, it is alone on the page.

const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// The nearest of `others` from `one` in a direction: what lies aside counts twice; null when nothing lies there.
export function nearest(one, others, [dx, dy]) {
  let found = null;
  for (const other of others) {
    const [x, y] = [other.x - one.x, other.y - one.y];
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (ahead <= 0 || aside > 3 * ahead) continue;
    const distance = ahead + 2 * aside;
    if (!found || distance < found.distance) found = { distance, other };
  }
  return found?.other ?? null;
}

function centre(shape) {
  const { left, top, width, height } = shape.getBoundingClientRect();
  return { shape, x: left + width / 2, y: top + height / 2 };
}

async function drawing(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(response.statusText);
  const parsed = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
  return document.importNode(parsed.documentElement, true);
}

function names(list) {
  return new Map([...list.options].filter((each) => each.value).map((each) => [each.value, each.label]));
}

// One radio button by département; those drawn twice are one.
function radios(svg, list) {
  const known = names(list);
  const found = [];
  for (const shape of svg.querySelectorAll("[data-code]")) {
    const name = known.get(shape.dataset.code);
    const title = document.createElementNS(svg.namespaceURI, "title");
    title.textContent = name;
    shape.append(title);
    if ("again" in shape.dataset) shape.setAttribute("aria-hidden", "true");
    else {
      shape.setAttribute("role", "radio");
      shape.setAttribute("aria-label", name);
      found.push(shape);
    }
  }
  svg.setAttribute("role", "radiogroup");
  svg.setAttribute("aria-label", `Carte : ${list.labels[0].firstChild.textContent.trim()}`);
  return found;
}

function follow(box, list, svg) {
  const shapes = radios(svg, list);
  const said = box.querySelector("[role=status]");
  const reach = (shape) => shapes.forEach((each) => each.setAttribute("tabindex", each === shape ? "0" : "-1"));
  const show = () => {
    for (const each of svg.querySelectorAll("[data-code]")) each.classList.toggle("is-chosen", each.dataset.code === list.value);
    for (const each of shapes) each.setAttribute("aria-checked", String(each.dataset.code === list.value));
    const chosen = names(list).get(list.value);
    said.textContent = chosen ? `Choisi : ${chosen}` : "Aucun département choisi sur la carte ni dans la liste.";
    reach(shapes.find((each) => each.dataset.code === list.value) ?? shapes[0]);
  };
  const choose = (code) => {
    list.value = code;
    for (const name of ["input", "change"]) list.dispatchEvent(new Event(name, { bubbles: true }));
  };
  svg.addEventListener("click", (event) => {
    const shape = event.target.closest("[data-code]");
    if (shape) choose(shape.dataset.code);
  });
  svg.addEventListener("keydown", (event) => {
    const shape = event.target;
    if (event.key === " " || event.key === "Enter") choose(shape.dataset.code);
    else if (event.key in DIRECTIONS) {
      const rest = shapes.filter((each) => each !== shape).map(centre);
      const next = nearest(centre(shape), rest, DIRECTIONS[event.key])?.shape;
      if (next) {
        reach(next);
        next.focus();
      }
    } else return;
    event.preventDefault();
  });
  list.addEventListener("change", show);
  show();
}

async function enhance(box) {
  const list = document.getElementById(box.dataset.list);
  try {
    const svg = await drawing(box.dataset.departementMap);
    box.prepend(svg);
    follow(box, list, svg);
    box.hidden = false;
  } catch {
    box.remove();
  }
}

if (typeof document !== "undefined") document.querySelectorAll("[data-departement-map]").forEach(enhance);
