"""Judges `/metrics` of a running gateway with the parser of the `prometheus_client` package.

usage: metrics.py URL

Prints each family as one JSON object: its kind, its help, and its samples as `name{labels}`.
"""

import json
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

text = urllib.request.urlopen(f"{sys.argv[1]}/metrics", timeout=30).read().decode()
families: dict[str, dict] = {}
for family in text_string_to_metric_families(text):
    name = f"{family.name}_total" if family.type == "counter" else family.name
    if name in families:
        sys.exit(f"{name} is there twice, which Prometheus refuses:\n{text}")
    samples = [f"{s.name}{json.dumps(s.labels, sort_keys=True)} {s.value:g}" for s in family.samples]
    families[name] = {"kind": family.type, "help": family.documentation, "samples": samples}
json.dump(families, sys.stdout)
