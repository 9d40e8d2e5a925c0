"""lm-evaluation-harness: its own model class for chat completions, as `--model local-chat-completions` uses it."""

import json
import os
import sys

os.environ.setdefault("OPENAI_API_KEY", "none")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from figures import bodies, measured
from lm_eval.api.instance import Instance
from lm_eval.models.api_models import JsonChatStr
from lm_eval.models.openai_completions import LocalChatCompletion

url, path, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3])
requests = [
    Instance(
        request_type="generate_until",
        doc={},
        arguments=(JsonChatStr(json.dumps(body["messages"])), {"until": [], "max_gen_toks": 16, "temperature": 0, "do_sample": False}),
        idx=number,
    )
    for number, body in enumerate(bodies(path))
]
model = LocalChatCompletion(base_url=url + "/chat/completions", model="m", num_concurrent=in_flight, max_retries=3)
with measured(len(requests)) as row:
    answers = model.generate_until(requests, disable_tqdm=True)
    row["failed"] = sum(not answer for answer in answers)
