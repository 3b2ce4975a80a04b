// Which questions of a page concern the person who fills it: the declaration that conditions.py judges, judged alike.
// Without this file every question that might be asked is shown, with the condition in words; the server has the last word.

const NUMBER = /^-?\d+(\.\d+)?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const ORDERS = {
  equals: (order) => order === 0,
  less: (order) => order < 0,
  more: (order) => order > 0,
  at_least: (order) => order >= 0,
  at_most: (order) => order <= 0,
};

// Figures are compared as they are written: a float would lose some.
function compareNumbers(one, other) {
  const parts = (text) => {
    const [whole, rest = ""] = text.replace("-", "").split(".");
    return [whole.replace(/^0+(?=\d)/, ""), rest.replace(/0+$/, "")];
  };
  const [[a, aRest], [b, bRest]] = [parts(one), parts(other)];
  const zero = (whole, rest) => whole === "0" && rest === "";
  const negative = [one.startsWith("-") && !zero(a, aRest), other.startsWith("-") && !zero(b, bRest)];
  if (negative[0] !== negative[1]) return negative[0] ? -1 : 1;
  const bare = a.length - b.length || (a === b ? 0 : a < b ? -1 : 1) || (aRest === bRest ? 0 : aRest < bRest ? -1 : 1);
  return negative[0] ? -Math.sign(bare) : Math.sign(bare);
}

function orderOf(one, other) {
  if (NUMBER.test(one) && NUMBER.test(other)) return compareNumbers(one, other);
  if (DAY.test(one) && DAY.test(other)) return one === other ? 0 : one < other ? -1 : 1;
  return null;
}

export function holds(condition, answers) {
  if ("all" in condition) return condition.all.every((each) => holds(each, answers));
  if ("any" in condition) return condition.any.some((each) => holds(each, answers));
  const given = answers[condition.question];
  const value = condition.value ?? "";
  const chosen = given?.options ?? [];
  switch (condition.is) {
    case "answered":
      return given !== undefined;
    case "unanswered":
      return given === undefined;
    case "chosen":
      return chosen.includes(value);
    case "not_chosen":
      return !chosen.includes(value);
    case "count_at_least":
      return chosen.length >= Number(value);
    case "count_at_most":
      return chosen.length <= Number(value);
  }
  const order = orderOf(given ? (given.text ?? chosen[0] ?? "") : "", value);
  return order !== null && ORDERS[condition.is](order);
}

// The ids of the questions that are asked, in order; what was answered to the others counts for nothing.
export function asked(questions, answers) {
  const said = {};
  const found = [];
  for (const { id, condition } of questions) {
    if (condition && !holds(condition, said)) continue;
    found.push(id);
    const given = answers[id];
    if (given && (given.text !== null || given.other !== null || given.options.length)) said[id] = given;
  }
  return found;
}

const clean = (text) => text.replace(/\r\n?/g, "\n").replaceAll("\0", "").trim();

// Figures and days as the server keeps them.
function canonical(kind, text) {
  if (kind === "number") {
    const bare = text.replace(/\s/g, "").replace(",", ".").replace("\u2212", "-").replace(/^\+/, "");
    return NUMBER.test(bare) ? bare : text;
  }
  const day = kind === "date" && /^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$/.exec(text);
  return day ? `${day[3]}-${day[2].padStart(2, "0")}-${day[1].padStart(2, "0")}` : text;
}

function departement(postcode) {
  const digits = postcode.replace(/\s/g, "");
  if (!/^\d{5}$/.test(digits)) return "";
  const corsica = { 200: "2A", 201: "2A", 202: "2B", 206: "2B" }[digits.slice(0, 3)];
  return corsica ?? digits.slice(0, /^9[78]/.test(digits) ? 3 : 2);
}

// What a question holds now, as the server would read it.
function read(box) {
  const { question, kind } = box.dataset;
  const main = `q-${question}`;
  const given = { text: null, options: [], other: null };
  for (const control of box.querySelectorAll(`[name^="${main}"]`)) {
    const part = control.name.slice(main.length + 1);
    const choice = control.type === "radio" || control.type === "checkbox";
    const value = choice && !control.checked ? "" : clean(control.value);
    if (!value || part === "other") continue;
    if (part === "postcode") given.options = given.options.length ? given.options : [departement(value)].filter(Boolean);
    else if (part) given.options.push(`${part}:${value}`);
    else if (choice || control.tagName === "SELECT") given.options.push(value);
    else given.text = canonical(kind, value);
  }
  return given;
}

function follow(form) {
  const { questions, answers } = JSON.parse(form.dataset.conditions);
  const boxes = [...form.querySelectorAll("[data-question]")];
  const show = () => {
    const now = { ...answers };
    for (const box of boxes) now[box.dataset.question] = read(box);
    const kept = new Set(asked(questions, now));
    for (const box of boxes) box.hidden = !kept.has(box.dataset.question);
  };
  for (const note of form.querySelectorAll("[data-condition]")) note.hidden = true;
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();
}

if (typeof document !== "undefined") document.querySelectorAll("form[data-conditions]").forEach(follow);
