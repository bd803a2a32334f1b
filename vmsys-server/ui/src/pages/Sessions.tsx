/** All sessions: what is alive, and what is kept of the rest. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { api, ok } from '../api/client';
import { sessionsQuery, stale, templatesQuery } from '../api/queries';
import type { Session, SessionStatus } from '../api/schema';
import { bytes, count, duration, shortId } from '../lib/format';
import { matches } from '../lib/match';
import { Ago, Empty, Loading, Problem, sayFailure, Status, useNow, useTitle } from '../ui/bits';
import { Confirm } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { NewSession } from './NewSession';

const STATUSES: SessionStatus[] = ['starting', 'ready', 'crashed', 'closed'];
/** How many are asked for; older ones come when they are asked for. */
const PAGE = 200;
const MOST = 1000;

export default function Sessions() {
  useTitle('Sessions');
  const [params, setParams] = useSearchParams();
  const status = STATUSES.find((known) => known === params.get('status'));
  const search = params.get('q') ?? '';
  const isNew = params.get('new') === '1';
  const [limit, setLimit] = useState(PAGE);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isClosing, setClosing] = useState(false);
  const { data, error, refetch } = useQuery(sessionsQuery({ limit, ...(status && { status }) }));
  const { data: templates } = useQuery(templatesQuery());
  const now = useNow(5000);

  const change = (name: string, value: string | null) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === null || value === '') next.delete(name);
        else next.set(name, value);
        if (name === 'new') next.delete('like');
        return next;
      },
      { replace: true },
    );

  const names = new Map(templates?.map((template) => [template.id, template.name]));
  const found = (data ?? []).filter((session) =>
    matches(
      [session.id, session.workspace_id, session.worktree_path, session.base_commit_oid, names.get(session.template_id)].join(' '),
      search,
    ),
  );
  const alive = found.filter(isAlive);
  const closable = alive.filter((session) => chosen.has(session.id));

  const close = useMutation({
    mutationFn: (ids: string[]) =>
      Promise.all(
        ids.map((session_id) => ok(api.POST('/api/v1/sessions/{session_id}/close', { params: { path: { session_id } } }))),
      ),
    onError: sayFailure,
    onSuccess: () => setChosen(new Set()),
    onSettled: () => {
      setClosing(false);
      void stale('sessions');
    },
  });

  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };

  const hasNone = data?.length === 0 && status === undefined;
  return (
    <section className="page">
      <header className="page-head">
        <h1>Sessions</h1>
        <div className="grow" />
        {closable.length > 0 && (
          <button type="button" className="danger" onClick={() => setClosing(true)}>
            Close {count(closable.length, 'session')}
          </button>
        )}
        {!hasNone && templates && templates.length > 0 && (
          <button type="button" className="primary" onClick={() => change('new', '1')}>
            <Icon name="plus" />
            New session
          </button>
        )}
      </header>
      {!hasNone && (
        <div className="filters">
          <input
            type="search"
            aria-label="Search sessions"
            placeholder="Workspace, path, template, id…"
            value={search}
            onChange={(event) => change('q', event.target.value)}
          />
          <div className="levels" role="group" aria-label="Status">
            {[undefined, ...STATUSES].map((known) => (
              <button
                key={known ?? 'all'}
                type="button"
                className="toggle"
                aria-pressed={status === known}
                onClick={() => change('status', known ?? null)}
              >
                {known ?? 'all'}
              </button>
            ))}
          </div>
          <span className="faint" role="status">
            {data && count(found.length, 'session')}
          </span>
        </div>
      )}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {hasNone &&
        (templates?.length === 0 ? (
          <Empty title="No sessions yet">
            <p>A session is made from a template, which says what its code may do. There is none yet.</p>
            <Link href="/templates?new=1" className="button primary">
              Create a template
            </Link>
          </Empty>
        ) : (
          <Empty title="No sessions yet">
            <p>A session is a live JavaScript runtime over a directory: what one run declares is there for the next.</p>
            <button type="button" className="primary" onClick={() => change('new', '1')}>
              <Icon name="plus" />
              New session
            </button>
          </Empty>
        ))}
      {data && data.length > 0 && found.length === 0 && <p className="faint">No session has that in it.</p>}
      {data?.length === 0 && status !== undefined && <p className="faint">No session is {status}.</p>}
      {found.length > 0 && (
        <table>
          <caption className="visually-hidden">Sessions, newest first</caption>
          <thead>
            <tr>
              <th scope="col" className="check">
                <input
                  type="checkbox"
                  aria-label="Choose all that are alive"
                  disabled={alive.length === 0}
                  checked={alive.length > 0 && closable.length === alive.length}
                  onChange={(event) => setChosen(new Set(event.target.checked ? alive.map((session) => session.id) : []))}
                />
              </th>
              <th scope="col">Session</th>
              <th scope="col">Status</th>
              <th scope="col">Template</th>
              <th scope="col">Worktree</th>
              <th scope="col" className="number">
                Age
              </th>
              <th scope="col" className="number">
                Last activity
              </th>
              <th scope="col" className="number">
                Memory
              </th>
            </tr>
          </thead>
          <tbody>
            {found.map((session) => (
              <tr key={session.id}>
                <td className="check">
                  <input
                    type="checkbox"
                    aria-label={`Choose ${session.workspace_id} ${shortId(session.id)}`}
                    disabled={!isAlive(session)}
                    checked={chosen.has(session.id) && isAlive(session)}
                    onChange={() => toggle(session.id)}
                  />
                </td>
                <th scope="row">
                  <Link href={`/sessions/${session.id}`}>
                    {session.workspace_id} <code className="faint">{shortId(session.id)}</code>
                  </Link>
                </th>
                <td>
                  <Status status={session.status} />
                  {session.last_error && (
                    <span className="reason" title={session.last_error}>
                      {session.last_error}
                    </span>
                  )}
                </td>
                <td>
                  {names.has(session.template_id) ? (
                    <Link href={`/templates/${session.template_id}`}>{names.get(session.template_id)}</Link>
                  ) : (
                    <span className="faint">deleted</span>
                  )}
                </td>
                <td className="path" title={session.worktree_path}>
                  <bdi>{session.worktree_path}</bdi>
                </td>
                <td className="number">
                  <time dateTime={session.created_at}>{duration(now - Date.parse(session.created_at))}</time>
                </td>
                <td className="number">{session.last_activity_at ? <Ago time={session.last_activity_at} /> : '–'}</td>
                <td className="number">{session.memory_bytes === undefined ? '–' : bytes(session.memory_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {data && data.length === limit && limit < MOST && (
        <p>
          <button type="button" onClick={() => setLimit(MOST)}>
            Show older ones
          </button>
        </p>
      )}
      {isNew && <NewSession like={params.get('like')} onClose={() => change('new', null)} />}
      {isClosing && (
        <Confirm
          title={`Close ${count(closable.length, 'session')}?`}
          action="Yes, close them"
          busy={close.isPending}
          onConfirm={() => close.mutate(closable.map((session) => session.id))}
          onClose={() => setClosing(false)}
        >
          <p>Their values are gone then; what they have run stays. Whatever runs is cancelled.</p>
        </Confirm>
      )}
    </section>
  );
}

function isAlive(session: Session): boolean {
  return session.status === 'ready' || session.status === 'starting';
}
