"""What Dagster loads, as text that a review can read: ``python -m pipeline_tests.graph_snapshot`` writes it anew."""

import json
import sys
from pathlib import Path

import dagster as dg

SNAPSHOT = Path(__file__).with_name("graph_snapshot.json")


def snapshot(definitions: dg.Definitions) -> str:
    """Every asset with what it depends on and what is checked of it; every job and schedule."""
    graph = definitions.resolve_asset_graph()
    assets = {
        node.key.to_user_string(): {
            "deps": sorted(key.to_user_string() for key in node.parent_keys),
            "checks": sorted(check.name for check in node.check_keys),
        }
        for node in sorted(graph.asset_nodes, key=lambda node: node.key.path)
    }
    jobs = {
        job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        for job in sorted(definitions.resolve_all_job_defs(), key=lambda job: job.name)
        if not job.name.startswith("__")
    }
    schedules = {
        schedule.name: [schedule.job_name, schedule.cron_schedule, schedule.execution_timezone]
        for schedule in definitions.schedules or []
        if isinstance(schedule, dg.ScheduleDefinition)
    }
    content = {"assets": assets, "jobs": jobs, "schedules": schedules}
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    from pipeline.definitions import defs

    SNAPSHOT.write_text(snapshot(defs()), encoding="utf-8")
    sys.stdout.write(f"wrote {SNAPSHOT}\n")
