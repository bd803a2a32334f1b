// The page of a daemon that was built without its web UI: pick a session, run code in it, see what it did.

const at = (id) => document.getElementById(id);
const api = '/api/v1';
let running = null;

function say(text) {
  at('output').textContent += `${text}\n`;
  at('output').scrollTop = at('output').scrollHeight;
}

async function ask(method, path, body) {
  const headers = {};
  const token = sessionStorage.getItem('token');
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers['Content-Type'] = 'application/json';
  const response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (response.status === 401) at('access').hidden = false;
  if (!response.ok) {
    const { code, message } = answer.error;
    throw new Error(`${code}: ${message} (request ${response.headers.get('X-Request-Id')})`);
  }
  return answer;
}

function fill(select, things, label) {
  const chosen = select.value;
  select.replaceChildren(...things.map((thing) => new Option(label(thing), thing.id)));
  if (things.some((thing) => thing.id === chosen)) select.value = chosen;
}

async function load() {
  fill(at('session'), await ask('GET', '/sessions?status=ready'), (it) => `${it.workspace_id} · ${it.id}`);
  fill(at('template'), await ask('GET', '/templates'), (it) => it.name);
}

function shown({ type, payload }) {
  switch (type) {
    case 'input_echo':
      return `> ${payload.text}`;
    case 'value':
      return `= ${payload.preview}`;
    case 'exception':
      return payload.stack ?? payload.message;
    case 'system':
      return `[${payload.message}]`;
    default:
      return payload.text;
  }
}

/** Runs and shows events as they come: the execution is detached, and its events are waited for. */
async function run() {
  const session_id = at('session').value;
  if (!session_id) throw new Error('Choose a session, or make one');
  let execution = await ask('POST', '/executions/repl', { session_id, input: at('input').value, detach: true });
  running = execution.id;
  at('stop').disabled = false;
  let seq = 0;
  try {
    for (;;) {
      const ended = execution.status !== 'running';
      const wait = ended ? '' : '&wait_ms=5000';
      for (const event of await ask('GET', `/executions/${execution.id}/events?after_seq=${seq}${wait}`)) {
        say(shown(event));
        seq = event.seq;
      }
      if (ended) break;
      execution = await ask('GET', `/executions/${execution.id}`);
    }
  } finally {
    running = null;
    at('stop').disabled = true;
  }
}

const told = (work) => work().catch((error) => say(String(error.message)));
const on = (id, kind, work) =>
  at(id).addEventListener(kind, (event) => {
    event.preventDefault();
    told(work);
  });

on('access', 'submit', async () => {
  sessionStorage.setItem('token', at('token').value);
  at('access').hidden = true;
  await load();
});
on('reload', 'click', load);
on('create-template', 'submit', async () => {
  const { id } = await ask('POST', '/templates', { name: at('name').value });
  await load();
  at('template').value = id;
});
on('create', 'submit', async () => {
  const { id } = await ask('POST', '/sessions', {
    template_id: at('template').value,
    workspace_id: 'web',
    base_commit_oid: 'HEAD',
    worktree_path: at('worktree').value,
  });
  await load();
  at('session').value = id;
});
on('run', 'submit', run);
on('stop', 'click', () => ask('POST', `/executions/${running}/cancel`));
at('input').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    told(run);
  }
});
told(load);
