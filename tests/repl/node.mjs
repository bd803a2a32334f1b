// Runs the cases that it is given on standard input (JSON) in Node.js, and prints what came of each input.
//
// It is V8's REPL mode that they run in, which lets names be declared again; Node's own REPL does not turn it on, but
// adds the rule for object literals, which is done here in the same way.
import { Console } from 'node:console';
import { Session } from 'node:inspector';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import vm from 'node:vm';

process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});

const TIMEOUT_MS = 300;
const SHOW = Symbol('show');

const session = new Session();
session.connect();
const post = (method, params) => new Promise((resolve, reject) => {
  session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)));
});
let newest;
session.on('Runtime.executionContextCreated', ({ params }) => { newest = params.context.id; });
await post('Runtime.enable');

const show = value => (typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, compact: 3 }));

/** Node's rule: what begins with `{` and does not end with `;` is an expression, if it can be one. */
function expressionOf(input) {
  if (!/^\s*{/.test(input) || /;\s*$/.test(input)) return input;
  const wrapped = `(${input.trim()}\n)`;
  try {
    new vm.Script(/\bawait\b/.test(input) ? `async () => ${wrapped}` : wrapped);
    return wrapped;
  } catch {
    return input;
  }
}

function argument({ objectId, unserializableValue, value, type }) {
  if (objectId !== undefined) return { objectId };
  if (unserializableValue !== undefined) return { unserializableValue };
  return type === 'undefined' ? {} : { value };
}

async function run({ strict, inputs }) {
  let written = '';
  const stdout = new Writable({ write(chunk, _, done) { written += chunk; done(); } });
  const globals = { console: new Console({ stdout, inspectOptions: { breakLength: 120 } }), setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, queueMicrotask, structuredClone, URL };
  const context = vm.createContext({ ...globals });
  const contextId = newest;
  Object.defineProperty(context, SHOW, { value: show });
  vm.runInContext('(key, show) => { globalThis[key] = show }', context)('__show__', show);
  const get = vm.runInContext('const shower = globalThis.__show__; delete globalThis.__show__; Object.assign(v => shower(v), {})', context);
  void get;
  const results = [];
  for (const input of inputs) {
    written = '';
    const text = (strict ? "'use strict'; " : '') + expressionOf(input);
    const evaluated = post('Runtime.evaluate', { expression: text, contextId, replMode: true, awaitPromise: true, userGesture: false });
    const late = new Promise(resolve => setTimeout(resolve, TIMEOUT_MS, 'late').unref?.() ?? undefined);
    let result;
    const timer = new Promise(resolve => { setTimeout(() => resolve('late'), TIMEOUT_MS); });
    void late;
    const answer = await Promise.race([evaluated.catch(error => ({ failed: String(error) })), timer]);
    if (answer === 'late') result = { error: 'never settles' };
    else if (answer.failed) result = { error: answer.failed };
    else {
      const { result: remote, exceptionDetails: thrown } = answer;
      const value = thrown ? thrown.exception ?? { type: 'string', value: thrown.text } : remote;
      const shown = await post('Runtime.callFunctionOn', {
        functionDeclaration: thrown
          ? 'function (value) { return value !== null && typeof value === "object" && "stack" in value ? `${value.name}: ${value.message}` : shower(value) }'
          : 'function (value) { return shower(value) }',
        arguments: [argument(value)],
        executionContextId: contextId,
        returnByValue: true,
      });
      const textOf = shown.result?.value ?? `could not be shown: ${JSON.stringify(shown)}`;
      result = thrown ? { error: textOf } : { value: textOf, undefined: remote.type === 'undefined' };
    }
    await new Promise(resolve => setTimeout(resolve, written === '' ? 1 : 40));
    results.push({ ...result, console: written });
  }
  return results;
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const all = [];
for (const one of JSON.parse(Buffer.concat(chunks))) all.push(await run(one));
process.stdout.write(JSON.stringify(all), () => process.exit(0));
