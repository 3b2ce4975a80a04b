// Copy what the pages serve from npm packages into static/dist (git-ignored), and draw the map; sass writes consult.css beside it.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { departements } from "./departements-map.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const copies = {
  "@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2": "fonts/source-sans-3.woff2",
  "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2": "fonts/source-serif-4.woff2",
  "altcha/dist/external/altcha.min.js": "altcha/altcha.js",
  "altcha/dist/external/altcha.css": "altcha/altcha.css",
  "altcha/dist/i18n/fr-fr.js": "altcha/fr-fr.js",
  "altcha/dist/workers/sha.js": "altcha/sha.js",
};

mkdirSync(`${root}consult/static/dist`, { recursive: true });
for (const [from, to] of Object.entries(copies)) {
  cpSync(`${root}node_modules/${from}`, `${root}consult/static/dist/${to}`);
}
mkdirSync(`${root}consult/static/dist/map`, { recursive: true });
writeFileSync(`${root}consult/static/dist/map/departements.svg`, departements());
