"""Reads reports of an audit with readers that others made: JUnit by junitparser, HAR by haralyzer.

    python read.py audit.xml audit.har
"""

import datetime
import json
import sys

from haralyzer import HarParser
from junitparser import Failure, JUnitXml

junit, har = sys.argv[1:]

suites = JUnitXml.fromfile(junit)
cases = [case for suite in suites for case in suite]
failed = [case for case in cases if any(isinstance(result, Failure) for result in case.result)]
assert suites.tests == len(cases), f"{suites.tests} tests are told, {len(cases)} are there"
assert suites.failures == len(failed), f"{suites.failures} failures are told, {len(failed)} are there"
assert any(case.classname == "SC-3" for case in failed), "SC-3 fails nothing"

with open(har, encoding="utf-8") as file:
    parser = HarParser(json.load(file))
entries = [entry for page in parser.pages for entry in page.entries]
assert len(parser.pages) > 0 and len(entries) > 0, "the HAR has no pages or no entries"
today = datetime.datetime.now(datetime.timezone.utc)
for entry in entries:
    assert entry.request.url.startswith("http://127.0.0.1:"), entry.request.url
    assert entry.response.status >= 200, entry.response.status
    age = today - entry.startTime
    assert datetime.timedelta(0) <= age < datetime.timedelta(days=1), f"sent at {entry.startTime}"

print(f"{len(suites)} suites, {len(cases)} cases, {len(failed)} failures; {len(parser.pages)} pages, {len(entries)} entries")
