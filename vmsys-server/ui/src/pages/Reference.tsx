/** The API as the daemon describes it, each operation to be tried on the daemon itself. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { send } from '../api/client';
import { documentQuery } from '../api/queries';
import { curl } from '../lib/curl';
import { matches } from '../lib/match';
import { type Document, fill, type Operation, operations, sampleBody } from '../lib/openapi';
import { CopyButton, Field, Loading, Problem, useTitle } from '../ui/bits';

export default function Reference() {
  useTitle('Reference');
  const { data, error, refetch } = useQuery(documentQuery());
  const [params, setParams] = useSearchParams();
  const search = params.get('q') ?? '';
  if (!data) return error ? <Problem error={error} retry={() => void refetch()} /> : <Loading />;
  const document = data as Document;
  const found = operations(document).filter(({ id, method, path, summary }) => matches(`${id} ${method} ${path} ${summary}`, search));
  const tags = document.tags ?? [];
  return (
    <section className="page reference">
      <header className="page-head">
        <h1>
          Reference <span className="faint">API {document.info.version}</span>
        </h1>
        <div className="grow" />
        <a href="/api/v1/openapi.json" download="openapi.json" className="button quiet">
          openapi.json
        </a>
      </header>
      <div className="filters">
        <input
          type="search"
          aria-label="Search operations"
          placeholder="Operation, path…"
          value={search}
          onChange={(event) => setParams(event.target.value === '' ? {} : { q: event.target.value }, { replace: true })}
        />
      </div>
      {found.length === 0 && <p className="faint">No operation has that in it.</p>}
      {tags.map((tag) => {
        const here = found.filter((operation) => operation.tag === tag.name);
        return here.length === 0 ? null : (
          <section key={tag.name}>
            <h2>{tag.name}</h2>
            <p className="faint">{tag.description}</p>
            {here.map((operation) => (
              <Entry key={operation.id} operation={operation} />
            ))}
          </section>
        );
      })}
    </section>
  );
}

function Entry({ operation }: { operation: Operation }) {
  const [isOpen, setOpen] = useState(false);
  const [isAll, setAll] = useState(false);
  // The refusals of every route are many, and the same for all.
  const answers = operation.answers.filter((answer) => isAll || answer.status.startsWith('2'));
  return (
    <details className="operation" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className={`method ${operation.method.toLowerCase()}`}>{operation.method}</span>
        <code>{operation.path}</code>
        <span className="faint summary">{operation.summary}</span>
      </summary>
      {isOpen && (
        <div className="operation-body">
          {operation.description && <p>{operation.description}</p>}
          <Try operation={operation} />
          <h3>Answers</h3>
          <dl className="facts-list">
            {answers.map((answer) => (
              <div key={answer.status} className="pair">
                <dt>
                  <code>{answer.status}</code>
                </dt>
                <dd>
                  {answer.about} {answer.type && <code>{answer.type}</code>}
                </dd>
              </div>
            ))}
          </dl>
          <button type="button" className="link" onClick={() => setAll(!isAll)} aria-expanded={isAll}>
            {isAll ? 'Hide refusals' : 'Show refusals'}
          </button>
        </div>
      )}
    </details>
  );
}

interface Answer {
  status: string;
  requestId: string | null;
  text: string;
}

/** Longer answers are cut: this is to see what comes, not to keep it. */
const MOST = 100_000;
/** So long a stream is listened to. */
const STREAM_MS = 2000;

function Try({ operation }: { operation: Operation }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState(() => (operation.body ? sampleBody(operation.body) : ''));
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const path = fill(operation.path, operation.params, values);

  const go = async () => {
    setBusy(true);
    setError(null);
    setAnswer(null);
    try {
      const headers = new Headers();
      for (const param of operation.params) {
        const value = values[param.name];
        if (param.in === 'header' && value) headers.set(param.name, value);
      }
      if (operation.body) headers.set('Content-Type', 'application/json');
      const response = await send(path, { method: operation.method, headers, ...(operation.body && { body }) });
      const text = operation.isStream ? await begin(response) : await response.text();
      setAnswer({
        status: `${response.status} ${response.statusText}`,
        requestId: response.headers.get('X-Request-Id'),
        text: pretty(text).slice(0, MOST),
      });
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      {operation.params.map((param) => (
        <Field key={param.name} label={param.name} hint={`${param.in}: ${param.description ?? ''}`}>
          {(attributes) => (
            <input
              {...attributes}
              className="mono"
              required={param.in === 'path'}
              autoComplete="off"
              value={values[param.name] ?? ''}
              onChange={(event) => setValues({ ...values, [param.name]: event.target.value })}
            />
          )}
        </Field>
      ))}
      {operation.body && (
        <>
          <Field label={`Body of ${operation.id}`}>
            {(attributes) => (
              <textarea
                {...attributes}
                className="mono"
                spellCheck={false}
                rows={Math.min(12, body.split('\n').length + 1)}
                value={body}
                onChange={(event) => setBody(event.target.value)}
              />
            )}
          </Field>
          <dl className="facts-list small">
            {operation.body.map((field) => (
              <div key={field.name} className="pair">
                <dt>
                  <code>{field.name}</code>
                  {field.isRequired && <span className="faint"> required</span>}
                </dt>
                <dd>
                  <code>{field.type}</code> {field.about}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <div className="actions start">
        <button type="submit" className="primary" disabled={isBusy}>
          {isBusy ? 'Asking…' : 'Try it'}
        </button>
        <CopyButton
          text={() => curl(operation.method, path, operation.body ? parsed(body) : undefined)}
          what="curl command"
          label="Copy as curl"
        />
        {operation.method !== 'GET' && <span className="faint">This changes what the daemon keeps.</span>}
      </div>
      {error !== null && <Problem error={error} />}
      {answer && (
        <section aria-label="Answer" aria-live="polite">
          <p>
            <strong>{answer.status}</strong>{' '}
            <span className="faint">
              request <code>{answer.requestId}</code>
            </span>
          </p>
          <pre tabIndex={0} className="answer">
            {answer.text}
          </pre>
        </section>
      )}
    </form>
  );
}

/** The first that a stream has to say. */
async function begin(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return '';
  let text = '';
  const timer = setTimeout(() => void reader.cancel(), STREAM_MS);
  for (;;) {
    const { done, value } = await reader.read();
    if (done || text.length > MOST) break;
    text += value;
  }
  clearTimeout(timer);
  return text;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
