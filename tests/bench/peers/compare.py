"""Runs Candor and its peers, one after the other, each against a fresh simulator, and prints the table.

Standard library only; the peers run in their own environment. CPU is user and system time of all processes of the row
while it requests; memory the peak resident size of all of them together, imports included.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = HERE.parents[2] / "build/release/bin"
TICK = os.sysconf("SC_CLK_TCK")


def start(directory, name, command, seconds=20):
    """Starts a program and waits for its ready file: the process, and what the file says."""
    ready = directory / f"{name}.json"
    log = open(directory / f"{name}.log", "w")
    process = subprocess.Popen([*map(str, command), "--ready-file", str(ready)], stdout=log, stderr=log)
    end = time.monotonic() + seconds
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(f"{name} does not serve:\n{(directory / f'{name}.log').read_text()}")
        time.sleep(0.01)
    return process, json.loads(ready.read_text())


def stop(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def simulator(directory, latency):
    process, ready = start(directory, "simulator", [BIN / "candor-simulator", "--listen", "127.0.0.1:0", "--latency", latency,
                                                   "--malformed-rate", "0"])
    return process, "http://" + ready["http"] + "/v1"


def job_file(directory, prompts):
    path = directory / "job.json"
    path.write_text(json.dumps({
        "models": [{"endpoint": "local", "model": "m"}],
        "scenarioLimit": 100,
        "choices": {"trialsPerScenario": -(-prompts // 100), "sampling": {"temperature": 0, "maxOutputTokens": 16}},
    }))
    return path


def candor(directory, arguments, latency):
    """The row of Candor: coordinator and worker together, from the job's creation to its end, durable."""
    upstream, url = simulator(directory, latency)
    config = directory / "candor.yaml"
    config.write_text(f'endpoints:\n  - name: local\n    base_url: "{url}"\n    dialect: openai\n'
                      f"    limits: {{in_flight: {arguments.in_flight}}}\n")
    coordinator, ready = start(directory, "coordinator", [
        BIN / "candor-coordinator", "--config", config, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
        "--data", directory / "data"])
    # A slot is free again when its outcome is durable; the limit keeps the calls in flight at what was asked.
    worker, _ = start(directory, "worker", [
        BIN / "candor-worker", "--config", config, "--coordinator", ready["grpc"], "--slots", 2 * arguments.in_flight])
    processes = (coordinator.pid, worker.pid)
    before = sum(map(cpu_seconds, processes))
    began = time.monotonic()
    done = subprocess.run([BIN / "candor", "--coordinator", ready["grpc"], "submit", "--watch", job_file(directory, arguments.prompts)],
                          capture_output=True, text=True)
    seconds = time.monotonic() - began
    cpu = sum(map(cpu_seconds, processes)) - before
    memory = sum(map(peak_megabytes, processes))
    for process in (worker, coordinator, upstream):
        stop(process)
    if done.returncode != 0:
        return {"skipped": (done.stderr or done.stdout).strip().splitlines()[-1]}
    calls = -(-arguments.prompts // 100) * 100
    return {"calls": calls, "seconds": seconds, "cpu": cpu, "megabytes": memory, "failed": 0}


def peer(directory, arguments, latency, script, bodies):
    """The row of one peer: its script prints calls, seconds, cpu and failed as JSON on its last line."""
    upstream, url = simulator(directory, latency)
    try:
        process = subprocess.Popen([arguments.venv, HERE / script, url, str(bodies), str(arguments.in_flight)],
                                   stdout=subprocess.PIPE, stderr=open(directory / f"{script}.log", "w"), text=True)
        out, _ = process.communicate(timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        stop(upstream)
        return {"skipped": str(error)}
    stop(upstream)
    if process.returncode != 0 or not out.strip():
        log = (directory / f"{script}.log").read_text().strip().splitlines()
        return {"skipped": log[-1] if log else f"exit code {process.returncode}"}
    return json.loads(out.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--venv", default=sys.executable)
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=512)
    parser.add_argument("--latency", default="100ms")
    parser.add_argument("--rounds", type=int, default=3, help="each row is the median of so many, by calls/s; fewer for what takes long")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="candor-peers-") as name:
        directory = pathlib.Path(name)
        config = directory / "preview.yaml"
        config.write_text('endpoints:\n  - name: local\n    base_url: "http://127.0.0.1:1/v1"\n    dialect: openai\n')
        # The very bodies that Candor sends, one a line.
        preview = subprocess.run([BIN / "candor", "preview", job_file(directory, arguments.prompts), "-n", str(arguments.prompts),
                                  "--config", config], capture_output=True, text=True, check=True).stdout
        bodies = directory / "bodies.jsonl"
        decoder, at, lines = json.JSONDecoder(), 0, []
        while (at := preview.find("{", at)) >= 0 and len(lines) < arguments.prompts:
            value, at = decoder.raw_decode(preview, at)
            lines.append(json.dumps(value))
        bodies.write_text("\n".join(lines) + "\n")

        rows = [("Candor, coordinator and worker", lambda d: candor(d, arguments, arguments.latency))]
        for title, script in (("lm-evaluation-harness", "lm_eval_client.py"), ("inspect-ai", "inspect_client.py"),
                              ("plain aiohttp loop", "aiohttp_client.py")):
            rows.append((title, lambda d, s=script: peer(d, arguments, arguments.latency, s, bodies)))

        print(f"{len(lines)} prompts, {arguments.in_flight} in flight, {arguments.latency} latency; "
              f"median of {arguments.rounds}; at most {arguments.in_flight / (float(arguments.latency.removesuffix('ms')) / 1000):.0f} calls/s")
        print(f"{'':34}{'calls/s':>9}{'us CPU a call':>15}{'MB, peak':>10}{'failed':>8}")
        for title, run in rows:
            results = []
            for number in range(arguments.rounds):
                place = directory / f"{title.split()[0].strip(',')}-{number}"
                place.mkdir()
                result = run(place)
                if "skipped" in result:
                    print(f"{title:34}SKIPPED: {result['skipped'][:120]}", flush=True)
                    break
                results.append(result)
                # The slow ones are slow every time.
                if sum(r["seconds"] for r in results) > 30:
                    break
            if results:
                results.sort(key=lambda r: r["calls"] / r["seconds"])
                middle = results[len(results) // 2]
                print(f"{title:34}{middle['calls'] / middle['seconds']:9.0f}{middle['cpu'] / middle['calls'] * 1e6:15.0f}"
                      f"{middle['megabytes']:10.0f}{middle['failed']:8.0f}", flush=True)


main()
