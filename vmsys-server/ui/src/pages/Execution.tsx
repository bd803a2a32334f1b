/** One execution, at an address that stays: what was run, what it did, what came of it, and what it took. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import { api, ok, Refusal } from '../api/client';
import { executionQuery, sessionQuery } from '../api/queries';
import type { Execution } from '../api/schema';
import { SessionLog } from '../console/log';
import { LogView } from '../console/LogView';
import { newKey } from '../console/runner';
import type { Openings } from '../console/Row';
import { curl } from '../lib/curl';
import { bytes, dateTime, milliseconds, shortId } from '../lib/format';
import { CopyButton, Loading, Problem, sayFailure, Status, useTitle } from '../ui/bits';
import { Icon } from '../ui/Icon';
import { NotFound } from './NotFound';

export default function ExecutionPage({ sessionId, id }: { sessionId: string; id: string }) {
  const query = useQuery(executionQuery(id));
  const { data: session } = useQuery(sessionQuery(sessionId));
  const [, navigate] = useLocation();
  const execution = query.data;
  useTitle(`Execution ${shortId(id)}`);
  const openings = useRef<Openings>(new Map());
  const rows = useMemo(() => {
    const log = new SessionLog();
    for (const event of execution?.events ?? []) log.add(event);
    return log.rows();
  }, [execution]);

  const again = useMutation({
    mutationFn: (was: Execution) => run(was),
    onSuccess: (next) => navigate(`/sessions/${sessionId}/executions/${next.id}`),
    onError: sayFailure,
  });
  const stop = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/executions/{execution_id}/cancel', { params: { path: { execution_id: id } } })),
    onError: sayFailure,
    onSettled: () => void query.refetch(),
  });

  if (query.error instanceof Refusal && (query.error.status === 404 || query.error.status === 400)) {
    return <NotFound what="execution" />;
  }
  if (!execution) return query.error ? <Problem error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  if (execution.session_id !== sessionId) return <NotFound what="execution in this session" />;
  const canRun = session?.status === 'ready' && execution.kind !== 'startup';
  const { metrics } = execution;

  return (
    <section className="page execution">
      <nav aria-label="Breadcrumb" className="crumbs">
        <Link href={`/sessions/${sessionId}`}>{session ? session.workspace_id : 'Session'} {shortId(sessionId)}</Link>
        <span aria-hidden="true"> / </span>
        <Link href={`/sessions/${sessionId}/executions`}>Executions</Link>
      </nav>
      <header className="page-head">
        <h1>
          Execution <code className="faint">{shortId(id)}</code>
        </h1>
        <Status status={execution.status} />
        <div className="grow" />
        {execution.status === 'running' && (
          <button type="button" className="danger" disabled={stop.isPending} onClick={() => stop.mutate()}>
            <Icon name="stop" />
            Stop
          </button>
        )}
        <CopyButton text={() => curlOf(execution)} what="curl command" label="Copy as curl" />
        <button type="button" className="quiet" onClick={() => download(execution)}>
          <Icon name="file" />
          Download JSON
        </button>
        <button
          type="button"
          className="primary"
          disabled={!canRun || again.isPending}
          title={canRun ? undefined : 'The session runs nothing any more'}
          onClick={() => again.mutate(execution)}
        >
          <Icon name="again" />
          Run again
        </button>
      </header>

      <dl className="metrics">
        {(
          [
            ['Kind', execution.kind.replace('_', ' ')],
            ['Started', dateTime(execution.started_at)],
            ['Took', milliseconds(metrics.wall_ms)],
            ['Processor', milliseconds(metrics.cpu_ms)],
            ['Memory', bytes(metrics.memory_bytes)],
            ['Events', metrics.event_count.toLocaleString('en-GB')],
            ['Output', bytes(metrics.output_bytes)],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>

      <h2>Input</h2>
      <pre className="source" tabIndex={0}>
        {execution.input ?? execution.path}
      </pre>
      {(Object.keys(execution.args).length > 0 || Object.keys(execution.env).length > 0) && (
        <pre className="source" tabIndex={0}>
          {JSON.stringify({ args: execution.args, env: execution.env }, null, 2)}
        </pre>
      )}

      <h2>Events</h2>
      <div className="boxed-log" style={{ height: `min(50vh, ${Math.max(4, rows.length + 2) * 26}px)` }}>
        <LogView
          rows={rows}
          sessionId={sessionId}
          withTime
          openings={openings.current}
          onEarlier={null}
          hiddenRuns={0}
          onShowAll={() => {}}
          empty="No events"
        />
      </div>

      {execution.result && (
        <>
          <h2>Result</h2>
          <dl className="facts-list">
            <dt>Type</dt>
            <dd>
              <code>{execution.result.type}</code>
            </dd>
            {'json' in execution.result && (
              <>
                <dt>JSON</dt>
                <dd>
                  <pre className="source" tabIndex={0}>
                    {JSON.stringify(execution.result.json, null, 2)}
                  </pre>
                </dd>
              </>
            )}
          </dl>
        </>
      )}
      {execution.error?.code && (
        <p>
          Ended with <code className="code">{execution.error.code}</code>
        </p>
      )}
    </section>
  );
}

function requestOf(execution: Execution): { path: '/api/v1/executions/repl' | '/api/v1/executions/run-file'; body: object } {
  const { session_id, args, env } = execution;
  return execution.kind === 'repl'
    ? { path: '/api/v1/executions/repl', body: { session_id, input: execution.input ?? '' } }
    : { path: '/api/v1/executions/run-file', body: { session_id, path: execution.path ?? '', args, env } };
}

function curlOf(execution: Execution): string {
  const { path, body } = requestOf(execution);
  return curl('POST', path, body);
}

function run({ kind, session_id, input = '', path = '', args, env }: Execution): Promise<Execution> {
  const params = { header: { 'Idempotency-Key': newKey() } };
  return kind === 'repl'
    ? ok(api.POST('/api/v1/executions/repl', { params, body: { session_id, input, detach: true } }))
    : ok(api.POST('/api/v1/executions/run-file', { params, body: { session_id, path, args, env, detach: true } }));
}

function download(execution: Execution): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(execution, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `execution-${execution.id}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
