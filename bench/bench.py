"""Plain nginx, Gibbon, and Gibbon with the logger, side by side in one run. See README.md."""

import argparse
import json
import os
import shutil
import statistics
import sys

from instructions import per_request
from rig import Rig

VARIANTS = {"plain": "nginx, proxy_pass", "gibbon": "Gibbon, no plugin", "logger": "Gibbon, logger"}


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def table(runs, instructions):
    rows = [("", "requests/s", "p99 ms", "worker µs/request", "instructions/request", "failed")]
    for variant, title in VARIANTS.items():
        mine = runs[variant]
        cells = [title, f"{median(mine, 'per_second'):,.0f}", f"{median(mine, 'p99_ms'):.2f}", f"{median(mine, 'worker_us'):.2f}",
                 f"{instructions[variant]:,.0f}" if variant in instructions else "-", str(sum(r["failed"] for r in mine))]
        if variant != "plain":
            for column, (key, value) in enumerate((("per_second", None), ("p99_ms", None), ("worker_us", None), ("", instructions)), 1):
                if key:
                    ratio = median(mine, key) / median(runs["plain"], key)
                elif variant in instructions:
                    ratio = value[variant] / value["plain"]
                else:
                    continue
                cells[column] += f" ({ratio:.2f}x)"
        rows.append(tuple(cells))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round without instruction counts: does it run, is nothing lost")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--no-instructions", action="store_true", help="leave out the count under valgrind")
    parser.add_argument("--json", metavar="FILE", help="write every figure of every round there")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.no_instructions = 1, 1, True
    missing = [tool for tool in ("nginx", "wrk", "taskset", *(() if options.no_instructions else ("valgrind", "vgdb")))
               if not shutil.which(tool)]
    if missing:
        sys.exit(f"bench: not installed: {', '.join(missing)}")

    rig, runs, instructions = Rig(), {variant: [] for variant in VARIANTS}, {}
    try:
        for variant in VARIANTS:
            rig.measure(variant, 1, options.connections)  # warms caches and connections
        for number in range(options.rounds):
            order = list(VARIANTS) if number % 2 == 0 else list(reversed(VARIANTS))
            for variant in order:
                runs[variant].append(rig.measure(variant, options.seconds, options.connections))
                print(f"round {number + 1}/{options.rounds}  {VARIANTS[variant]:<18}  {runs[variant][-1]['per_second']:>9,.0f}/s",
                      file=sys.stderr, flush=True)
        if not options.no_instructions:
            for variant, (_, port, target) in rig.targets.items():
                print(f"counting instructions: {VARIANTS[variant]}", file=sys.stderr, flush=True)
                conf = rig.plain.conf if variant == "plain" else rig.gateway.prefix / "nginx.conf"
                instructions[variant] = per_request(conf, port, target)
            rig.drained()
    finally:
        rig.close()

    logger = runs["logger"]
    lost, captured = sum(r["lost"] for r in logger), sum(r["captured"] for r in logger)
    print(f"GET, 1 KB answers, {options.connections} kept-alive connections, one worker on a core of its own; load, upstream, agent and"
          f"\nlog service on the other {len(rig.others)} of {os.cpu_count()}. Medians of {options.rounds} interleaved rounds of {options.seconds} s.\n")
    print(table(runs, instructions))
    print(f"\nagent {median(logger, 'agent_us'):.2f} µs/entry · log service {median(logger, 'logs_us'):.2f} µs/entry · "
          f"entries lost: {lost:,.0f} of {captured:,.0f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"runs": runs, "instructions": instructions, "options": vars(options)}, file, indent=1)
    failed = sum(run["failed"] for mine in runs.values() for run in mine)
    return 1 if lost or failed else 0


if __name__ == "__main__":
    sys.exit(main())
