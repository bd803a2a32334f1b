/** The worktree of a session: looked through, and its files run with arguments. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';
import { api, ok } from '../../api/client';
import { look } from '../../api/inspect';
import type { Session } from '../../api/schema';
import { newKey } from '../../console/runner';
import { curl } from '../../lib/curl';
import { bytes } from '../../lib/format';
import { CopyButton, Field, Loading, Problem } from '../../ui/bits';
import { Icon } from '../../ui/Icon';

const RUNS = /\.(m|c)?(js|ts)$|\.json$/;

export default function Files({ session, onRun }: { session: Session; onRun: () => void }) {
  const [params, setParams] = useSearchParams();
  const path = params.get('path') ?? '';
  const line = Number(params.get('line') ?? 0);
  const { data, error, refetch } = useQuery({
    queryKey: ['files', session.id, path],
    queryFn: ({ signal }) => look(session.id, path, signal),
  });
  const isReady = session.status === 'ready';
  const go = (to: string) => setParams(to === '' ? {} : { path: to });
  const parts = path.split('/').filter((part) => part !== '');
  return (
    <section className="files">
      <nav aria-label="Path" className="crumbs">
        <button type="button" className="link" onClick={() => go('')} title={session.worktree_path}>
          {session.worktree_path.split('/').at(-1) || '/'}
        </button>
        {parts.map((part, index) => {
          const to = parts.slice(0, index + 1).join('/');
          return (
            <span key={to}>
              <span className="faint"> / </span>
              <button type="button" className="link" onClick={() => go(to)}>
                {part}
              </button>
            </span>
          );
        })}
      </nav>
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.kind === 'directory' && (
        <ul className="entries">
          {data.entries.length === 0 && <li className="faint pad">The directory is empty.</li>}
          {data.entries.map((entry) => (
            <li key={entry.name}>
              <button
                type="button"
                className="entry"
                disabled={entry.kind === 'other'}
                onClick={() => go([...parts, entry.name].join('/'))}
              >
                <Icon name={entry.kind === 'directory' ? 'folder' : 'file'} />
                <span className="entry-name">{entry.name}</span>
                <span className="faint">{entry.size === undefined ? '' : bytes(entry.size)}</span>
              </button>
            </li>
          ))}
          {data.more ? <li className="faint pad">and {data.more} more</li> : null}
        </ul>
      )}
      {data?.kind === 'file' && (
        <>
          {RUNS.test(path) && <RunFile session={session} path={path} isReady={isReady} onRun={onRun} />}
          <Source text={data.text} line={line} />
        </>
      )}
    </section>
  );
}

function RunFile({ session, path, isReady, onRun }: { session: Session; path: string; isReady: boolean; onRun: () => void }) {
  const [args, setArgs] = useState('');
  const [env, setEnv] = useState('');
  const [wrong, setWrong] = useState<{ args?: string; env?: string }>({});
  const body = (): { session_id: string; path: string; args: Record<string, unknown>; env: Record<string, string> } => ({
    session_id: session.id,
    path,
    args: object(args),
    env: object(env) as Record<string, string>,
  });
  const run = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/api/v1/executions/run-file', {
          params: { header: { 'Idempotency-Key': newKey() } },
          body: { ...body(), detach: true } as never,
        }),
      ),
    onSuccess: onRun,
  });
  return (
    <form
      className="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        const problems = { ...problem('args', args), ...problem('env', env) };
        setWrong(problems);
        if (Object.keys(problems).length === 0) run.mutate();
      }}
    >
      <Field label="Arguments (JSON object)" error={wrong.args}>
        {(attributes) => (
          <input {...attributes} className="mono" placeholder="{}" value={args} onChange={(event) => setArgs(event.target.value)} />
        )}
      </Field>
      <Field label="Environment (JSON object)" error={wrong.env}>
        {(attributes) => (
          <input {...attributes} className="mono" placeholder="{}" value={env} onChange={(event) => setEnv(event.target.value)} />
        )}
      </Field>
      <button type="submit" className="primary" disabled={!isReady || run.isPending}>
        <Icon name="play" />
        Run file
      </button>
      <CopyButton
        text={() => curl('POST', '/api/v1/executions/run-file', Object.keys(problem('a', args)).length ? { session_id: session.id, path } : body())}
        what="curl command"
        label="Copy as curl"
      />
      {run.error && <Problem error={run.error} />}
    </form>
  );
}

function object(text: string): Record<string, unknown> {
  return text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function problem(name: string, text: string): Record<string, string> {
  try {
    const value: unknown = object(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return {};
    return { [name]: 'A JSON object, as in {"name": "value"}' };
  } catch (error) {
    return { [name]: `Not JSON: ${(error as Error).message}` };
  }
}

/** More lines than this are not put into the page. */
const MOST_LINES = 5000;

function Source({ text, line }: { text: string; line: number }) {
  const here = useRef<HTMLLIElement>(null);
  useEffect(() => here.current?.scrollIntoView({ block: 'center' }), [line, text]);
  const rows = text.split('\n');
  return (
    <ol className="source-lines" tabIndex={0} aria-label="Source">
      {rows.slice(0, MOST_LINES).map((row, index) => (
        <li key={index} ref={index + 1 === line ? here : undefined} className={index + 1 === line ? 'here' : undefined}>
          <code>{row || ' '}</code>
        </li>
      ))}
      {rows.length > MOST_LINES && <li className="faint">{rows.length - MOST_LINES} more lines</li>}
    </ol>
  );
}
