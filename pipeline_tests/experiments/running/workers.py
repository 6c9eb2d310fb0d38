"""Processes that work on a queue, started by tests; each is killed or ends by itself."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.experiments.running import OpenAIClient, Outcome, Providers, Queue, Runner
from pipeline_tests.experiments.declared import experiment

PROCESSES = multiprocessing.get_context("spawn")


def finish_all(path: Path, ready: Connection, answer: Connection) -> None:
    """Claim and finish runs until none is left; answer with what it had."""
    with Queue(path, "capitals") as queue:
        ready.send("ready")
        answer.recv()
        had = []
        while claimed := queue.claim(3):
            for one in claimed:
                had.append(one.run_id)
                assert queue.finish(one, Outcome("completed", output=str(os.getpid())))
        answer.send(had)


def claim_and_die(path: Path, said: Connection, n: int, amount: float | None) -> None:
    """Claim runs and hold money, say which, and be killed in the middle of it."""
    with Queue(path, "capitals") as queue:
        claimed = queue.claim(n)
        if amount is not None:
            queue.ledger.hold(amount, 10.0)
        said.send([one.run_id for one in claimed])
        os.kill(os.getpid(), signal.SIGKILL)


def die_at_work(path: Path, n: int = 1, amount: float | None = None) -> list[str]:
    """What a process had claimed when it was killed."""
    receiving, sending = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=claim_and_die, args=(path, sending, n, amount))
    process.start()
    had = receiving.recv()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    return had


def run_until_killed(path: Path, address: str, repeats: int) -> None:
    """Run what waits, asking an endpoint of another process."""
    declared = experiment(repeats=repeats, execution={"max_cost": None})
    with Queue(path, "capitals") as queue:
        Runner(declared, queue, Providers({"openai": OpenAIClient(address)}, {}), None).run(threading.Event())
