"""inspect-ai: a task of one `generate()`, logs written as usual, connections and samples as many as asked for."""

import sys
import tempfile

from figures import bodies, measured
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, get_model
from inspect_ai.solver import generate

url, path, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3])
KINDS = {"system": ChatMessageSystem, "user": ChatMessageUser}
samples = [
    Sample(input=[KINDS[message["role"]](content=message["content"]) for message in body["messages"]], target="A")
    for body in bodies(path)
]
model = get_model("openai/m", base_url=url, api_key="none", responses_api=False,
                  config=GenerateConfig(max_connections=in_flight, temperature=0, max_tokens=16))
with tempfile.TemporaryDirectory() as logs, measured(len(samples)) as row:
    log, = eval(Task(dataset=MemoryDataset(samples), solver=generate()), model=model, log_dir=logs, display="none",
                max_samples=in_flight, score=False, fail_on_error=False)
    row["failed"] = sum(sample.error is not None or not sample.output.completion for sample in log.samples)
