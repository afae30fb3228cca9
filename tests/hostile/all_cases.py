"""All cases that are requests to one daemon."""

import cases_decisions
import cases_embedding
import cases_endpoints
import cases_grammar
import cases_http
import cases_image
import cases_json
import cases_prompt
import cases_protocols
import cases_sampling
import cases_schema
import cases_tokens
import cases_tools
import cases_video

CASES = [
    case
    for module in (
        cases_json,
        cases_prompt,
        cases_sampling,
        cases_schema,
        cases_grammar,
        cases_image,
        cases_embedding,
        cases_decisions,
        cases_http,
        cases_tools,
        cases_protocols,
        cases_endpoints,
        cases_tokens,
        cases_video,
    )
    for case in module.CASES
]

assert len({(case.group, case.name) for case in CASES}) == len(CASES), "names are unique"


def count_by_group():
    counts = {}
    for case in CASES:
        counts[case.group] = counts.get(case.group, 0) + 1
    return counts
