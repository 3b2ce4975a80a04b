"""Every bench, as a table and as bench.json: `python tests/bench --scale small|full [NAME …]`.

A figure is a ratio of two things measured side by side in this run, or a memory; it is compared with its budget, and
the exit code is 1 when one is missed. Absolute times are printed for information only.
"""

import argparse
import importlib.util
import json
import platform
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))
sys.path.insert(0, str(HERE))


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def met(row: dict) -> bool:
    """A budget is « >= 0.3 » or « <= 12 », or absent."""
    if not row.get("budget"):
        return True
    sign, bound = row["budget"].split()
    return row["value"] >= float(bound) if sign == ">=" else row["value"] <= float(bound)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=["small", "full"], default="small")
    parser.add_argument("names", nargs="*", help="benches to run (pages, votes…); all by default")
    options = parser.parse_args()
    rows = []
    for path in sorted(HERE.glob("bench_*.py")):
        if options.names and path.stem.removeprefix("bench_") not in options.names:
            continue
        print(f"… {path.stem}", file=sys.stderr)
        rows += load(path).run(options.scale)
    for row in rows:
        row["met"] = met(row)
        mark = "ok " if row["met"] else "NON"
        budget = row.get("budget") or ""
        print(f"{mark} {row['name']:<62} {row['value']:>12.4g} {row['unit']:<12} {budget:<10} {row.get('note', '')}")
    report = {"scale": options.scale, "machine": platform.processor() or platform.machine(), "rows": rows}
    Path("bench.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
