"""Reads the daemon's metrics with the parser of Prometheus's own client, after it has had something to count."""

import os
import sys
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

PREFIXES = ("vmsys_", "process_")


def problems(text):
    families = list(text_string_to_metric_families(text))
    if len(families) < 15:
        yield f"only {len(families)} metrics"
    for family in families:
        if family.type not in ("counter", "gauge", "histogram"):
            yield f"{family.name} is of the type {family.type}"
        if not family.name.startswith(PREFIXES):
            yield f"{family.name} has none of our prefixes"
        if not family.documentation:
            yield f"{family.name} says nothing of itself"
        if family.type == "counter" and not all(s.name.endswith("_total") for s in family.samples):
            yield f"{family.name} counts, and does not end in _total"
        seen = set()
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            if key in seen:
                yield f"{key} comes twice"
            seen.add(key)
            if sample.value < 0:
                yield f"{key} is {sample.value}"
        if family.type == "histogram":
            yield from of_histogram(family)


def of_histogram(family):
    buckets, counts = {}, {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
        if sample.name.endswith("_bucket"):
            buckets.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
        if sample.name.endswith("_count"):
            counts[labels] = sample.value
    for labels, pairs in buckets.items():
        if pairs != sorted(pairs) or any(a[1] > b[1] for a, b in zip(pairs, pairs[1:])):
            yield f"{family.name}{labels}: the buckets do not grow"
        if pairs[-1] != (float("inf"), counts.get(labels)):
            yield f"{family.name}{labels}: the last bucket is {pairs[-1]}, the count {counts.get(labels)}"


def main():
    with urlopen(os.environ["VM_SYSTEM_URL"] + "/metrics") as answer:
        found = list(problems(answer.read().decode()))
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


main()
