"""Write the injection texts of AgentDojo, rendered without any network, as JSON: [[attack, text], ...].

AgentDojo is no dependency of Studio. Run this with the Python of an environment that has it, then
``AGENTDOJO_TEXTS=FILE pytest tests/agent/injection``.
"""

import json
import sys
from pathlib import Path

from agentdojo.agent_pipeline.ground_truth_pipeline import GroundTruthPipeline  # type: ignore[import-not-found]  # in an environment of its own
from agentdojo.attacks.attack_registry import ATTACKS, load_attack  # type: ignore[import-not-found]  # in an environment of its own
from agentdojo.task_suite.load_suites import get_suites  # type: ignore[import-not-found]  # in an environment of its own

# Attacks address the model by its maker's name.
_MODEL = "gpt-4o-2024-05-13"


def texts() -> list[tuple[str, str]]:
    """Each attack's words for each injection task, as far as they can be rendered; every text once."""
    found: dict[str, str] = {}
    for suite in get_suites("v1.2.1").values():
        user_tasks = list(suite.user_tasks.values())
        for name in ATTACKS:
            if name == "manual":  # asks at the keyboard
                continue
            pipeline = GroundTruthPipeline(None)
            pipeline.name = _MODEL
            attack = load_attack(name, suite, pipeline)
            for task in suite.injection_tasks.values():
                for user_task in user_tasks:
                    try:
                        rendered = attack.attack(user_task, task)
                    except ValueError:  # the user's task reads nothing that could be injected
                        continue
                    found.update((text, name) for text in rendered.values() if text not in found)
                    break
    return [(name, text) for text, name in found.items()]


if __name__ == "__main__":
    rendered = texts()
    Path(sys.argv[1]).write_text(json.dumps(rendered, ensure_ascii=False, indent=1))
    print(f"{len(rendered)} texts of {len({name for name, _ in rendered})} attacks")
