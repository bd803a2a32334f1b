"""What schemathesis is told about a daemon: real things to ask for, and nothing that could hurt the machine.

Generated requests name things that are not there, and bodies that run whatever comes to mind. Before a request is sent,
ids are therefore put in its place that exist, and code and directories that are harmless. What is wrong on purpose stays
wrong: only values that are valid are replaced.
"""

import itertools
import json
import os
import urllib.request
import uuid

import jsonschema_rs
import schemathesis

URL = os.environ["VM_SYSTEM_URL"] + "/api/v1"
WORKTREE = os.environ["VM_SYSTEM_WORKTREE"]

# Quick, of every kind of end; and none of it uses what a template may have been granted.
SNIPPETS = itertools.cycle(
    [
        "1 + 1",
        "console.log('text'); ({ n: [1, null, 'x'], when: new Date(0) })",
        "throw new TypeError('on purpose')",
        "undefined",
        "10n ** 20n",
        "new Map([[1, { a: 2 }]])",
        "await new Promise(() => {})",
        "syntax error",
        "while (true) {}",
        "for (let i = 0; i < 60; i++) console.error(i)",
    ]
)
MODULES = itertools.cycle(["fs", "exec", "database"])
FILES = itertools.cycle(["main.js", "lib/data.js", "throws.js"])

# Little time and little output, so that limits are met and nothing is waited for.
LIMITS = {"cpu_ms": 50, "wall_ms": 200, "max_events": 50}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def new_template():
    return call("POST", "/templates", {"name": f"made {uuid.uuid4()}", "limits": LIMITS})["id"]


def new_session():
    body = {"template_id": SOURCE, "workspace_id": "w", "base_commit_oid": "c", "worktree_path": WORKTREE}
    return call("POST", "/sessions", body)["id"]


def run(session, snippet, detach=False):
    return call("POST", "/executions/repl", {"session_id": session, "input": snippet, "detach": detach})["id"]


# One that sessions are made from, and one that is changed: what changes must not spoil what is made.
SOURCE = new_template()
CHANGED = new_template()
CAPABILITY = call(
    "POST",
    f"/templates/{CHANGED}/capabilities",
    {"kind": "fs", "name": "docs", "enabled": True, "config": {"read": ["docs"]}},
)["id"]
call("POST", f"/templates/{CHANGED}/startup-files", {"path": "main.js"})
call("POST", f"/templates/{CHANGED}/modules", {"name": "exec"})
call("POST", f"/templates/{CHANGED}/libraries", {"name": "lodash"})

SESSION = new_session()
EXECUTION = run(SESSION, "console.log('seeded'); ({ seeded: true })")
# A stream of one that is alive would never end.
CLOSED = new_session()
run(CLOSED, "console.log('before the end')")
call("POST", f"/sessions/{CLOSED}/close")


# What must be there as it is until the end.
KEPT = {SOURCE, CHANGED, SESSION, EXECUTION, CLOSED}


def version_of(value):
    """Returns the version of an id, or nothing for what is none."""
    try:
        return uuid.UUID(value).version if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None


def real(name, operation):
    """Returns the id of something that there is, for an operation to be tried on."""
    match name, operation:
        case "template_id", "deleteTemplate":
            return new_template()
        case "template_id", "createSession" | "listSessions":
            return SOURCE
        case "template_id", _:
            return CHANGED
        case "capability_id", _:
            return CAPABILITY
        case "session_id", "deleteSession" | "closeSession":
            return new_session()
        case "session_id", "streamSession":
            return CLOSED
        case "session_id", _:
            return SESSION
        case "execution_id", "cancelExecution":
            return run(SESSION, "await new Promise((done) => setTimeout(done, 150))", detach=True)
        case "execution_id", _:
            return EXECUTION


def fill(values, operation):
    for name in ("template_id", "capability_id", "session_id", "execution_id"):
        value = values.get(name)
        # Those of version 7 are the daemon's own. Of the others some stay: what is not there is asked for, too.
        match version_of(value):
            case None:
                continue
            case 7:
                replaced = value in KEPT or operation == "streamSession"
            case _:
                replaced = int(value[-1], 16) % 4 > 0
        if replaced:
            values[name] = real(name, operation)


def whole(value):
    """Writes whole numbers as such: to JSON Schema 7.0 is one, and the document says that to the daemon it is not."""
    match value:
        case float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case dict():
            return {name: whole(item) for name, item in value.items()}
        case list():
            return [whole(item) for item in value]
        case _:
            return value


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw.get("operationId")
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            fill(values, operation)
    if operation == "streamSession" and case.meta and case.meta.generation.mode.is_positive:
        # The two are not for one request, which a schema of parameters cannot say.
        if isinstance(case.query, dict) and "after" in case.query:
            case.query.pop("tail", None)
    if not isinstance(case.body, dict):
        return
    body = case.body = whole(case.body)
    texts = {name: value for name, value in body.items() if isinstance(value, str)}
    # By the length of what was made up: so that a seed says all, and some stay as they are.
    often = {name for name, value in texts.items() if len(value) % 3}
    match operation:
        case "runRepl" if "input" in texts:
            body["input"] = next(SNIPPETS)
        case "runFile" if "path" in often:
            body["path"] = next(FILES)
        case "addModule" if "name" in often:
            body["name"] = next(MODULES)
        case "addLibrary" if "name" in often:
            body["name"] = "lodash"
        case "addStartupFile" if "path" in often:
            body["path"] = f"{uuid.uuid4()}.js"
        case "completeInput" if "source" in texts and case.meta and case.meta.generation.mode.is_positive:
            # A cursor stands within its text, which no schema can say.
            if isinstance(body.get("cursor"), int):
                body["cursor"] %= len(texts["source"].encode("utf-16-le", "surrogatepass")) // 2 + 1
        case "createSession" if "worktree_path" in texts:
            # Sessions are made over no directory but ours. What is no absolute path is refused, and may stay.
            if "worktree_path" in often or texts["worktree_path"].startswith("/"):
                body["worktree_path"] = WORKTREE
        case "createTemplate" | "updateTemplate" if 0 < len(texts.get("name", "").strip()) <= 150:
            # A name is taken once, and what is generated is short enough to come again.
            body["name"] = f"{texts['name']} {uuid.uuid4()}"


DOCUMENT = call("GET", "/openapi.json")


def validator(name):
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}, validate_formats=True
    )


EVENT, LAST = validator("Event"), {"end": validator("Execution"), "session": validator("Session")}


@schemathesis.check
def streams_carry_what_they_say(ctx, response, case):
    """The document describes messages, whose data is text. What that text holds is looked at here."""
    if not response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        return
    for message in response.content.decode().split("\n\n"):
        fields = [line.partition(": ")[::2] for line in message.split("\n") if line and not line.startswith(":")]
        data = "\n".join(value for name, value in fields if name == "data")
        if data:
            kind, document = dict(fields)["event"], json.loads(data)
            LAST.get(kind, EVENT).validate(document)
            assert kind in LAST or kind == document["type"], message
