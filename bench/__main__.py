"""`python -m bench [intake|end_to_end|flows|memory|all] [--seconds N] [--quick]`: measure, and print a table."""

import argparse
import os
import sys

import uvloop

from bench import company, end_to_end, flows, intake, load, system, usage
from bench.report import Report, Row
from config.launch import checks
from config.launch.errors import LaunchError

QUICK_SECONDS = 2.0
LONG = 20


def main() -> None:
    """Measure what is asked for; ends with code 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["intake", "end_to_end", "flows", "memory", "all"], default="all")
    parser.add_argument("--seconds", type=float, default=10.0, help="of load, each (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a glance: two seconds of load each, no targets")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        try:
            checks.bench(sys.argv[1:])  # starts engines, and this again with their addresses
        except LaunchError as error:
            sys.exit(f"recado: {error}")
        return
    seconds = QUICK_SECONDS if options.quick else options.seconds
    report = Report(has_targets=not options.quick)
    if not system.is_durable(os.environ["DATABASE_URL"]):
        report.warn("PostgreSQL does not keep what it confirms (fsync or synchronous_commit is off).")
    if options.what in ("intake", "all"):
        report.show("Durable acknowledgements", measure_intake(seconds))
    if options.what in ("flows", "all"):
        report.show("Flow engine, by itself", measure_flows(seconds))
    if options.what in ("end_to_end", "memory", "all"):
        replies, sizes = measure_end_to_end(seconds)
        if options.what != "memory":
            report.show("Webhook to reply", replies)
            report.show(f"The same by way of {LONG} nodes a turn", measure_long_turns(seconds, replies[0]))
        report.show("Memory after the load (PSS)", sizes)
    sys.exit(report.exit_code)


def measure_flows(seconds: float) -> list[Row]:
    """The pure engine, in flows of several sizes."""
    costs = [flows.measure(nodes, seconds=seconds / len(flows.SIZES)) for nodes in flows.SIZES]
    rows = [Row(f"{cost.nodes:,} nodes: steps", cost.turns_per_second * flows.NODES_A_TURN, "/s") for cost in costs] + [
        Row(f"{cost.nodes:,} nodes: compiled once, in", cost.compile_seconds * 1000, "ms") for cost in costs
    ]
    ratio = costs[0].turns_per_second / costs[-1].turns_per_second
    return [*rows, Row(f"a turn in {costs[-1].nodes:,} nodes beside one in {costs[0].nodes:,}", ratio, "", at_most=1.3)]


def measure_long_turns(seconds: float, short: Row) -> list[Row]:
    """Webhook to reply through a longer flow, beside the figure of the short one."""
    with system.running(*system.WORK, "sandbox") as running:
        company.open_for_business(running, company.long_canvas(LONG))
        full_speed, _ = uvloop.run(end_to_end.measure(running, seconds=seconds))
    return [
        Row("replies", full_speed.per_second, "/s"),
        Row("ratio to a turn of one node", full_speed.per_second / short.value, ""),
        *(Row(fault, count, "", at_most=0) for fault, count in full_speed.faults().items()),
    ]


def measure_intake(seconds: float) -> list[Row]:
    """The intake beside the bare handler."""
    bare_port = system.free_port()
    with system.running("web", extra={"bare": intake.bare_program(bare_port)}) as running:
        system.wait_for_listener(bare_port)
        real, bare = uvloop.run(intake.measure(running, bare_port, seconds=seconds))
    rows = []
    for name, count in [("intake", real), ("bare handler", bare)]:
        rows += [
            Row(f"{name}: acknowledgements", count.rate, "/s"),
            Row(f"{name}: p50", load.percentile(count.seconds, 0.5) * 1000, "ms"),
            Row(f"{name}: p99", load.percentile(count.seconds, 0.99) * 1000, "ms"),
            Row(f"{name}: not acknowledged", count.refused, "", at_most=0),
        ]
    return [*rows, Row("ratio of acknowledgements", real.rate / bare.rate, "", at_least=0.6)]


def measure_end_to_end(seconds: float) -> tuple[list[Row], list[Row]]:
    """Replies, and the memory that all processes take afterwards."""
    with system.running(*system.WORK, "sandbox") as running:
        company.open_for_business(running)
        full_speed, at_ease = uvloop.run(end_to_end.measure(running, seconds=seconds))
        sizes = usage.memory(running.pids())
    replies = [Row("at full speed: replies", full_speed.per_second, "/s", at_least=300)]
    for name, passage in [("at full speed", full_speed), (f"at {end_to_end.PACE}/s", at_ease)]:
        replies += [
            Row(f"{name}: messages", len(passage.written_at), ""),
            Row(f"{name}: p50", load.percentile(passage.latencies, 0.5) * 1000, "ms"),
            Row(f"{name}: p99", load.percentile(passage.latencies, 0.99) * 1000, "ms"),
            *(Row(f"{name}: {fault}", count, "", at_most=0) for fault, count in passage.faults().items()),
        ]
    replies += [
        Row(f"processor time a reply: {name}", seconds / len(full_speed.replied) * 1000, "ms")
        for name, seconds in full_speed.processor.items()
    ]
    sandbox = sizes.pop("sandbox")
    every = [Row(name, size, "MiB") for name, size in sizes.items()]
    every += [Row("all of Recado", sum(sizes.values()), "MiB", at_most=700), Row("beside it: sandbox", sandbox, "MiB")]
    return replies, every


if __name__ == "__main__":
    main()
