/** A session: its console first, and beside it what it did, what it can run, and what it is. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { api, ok, Refusal } from '../api/client';
import { sessionQuery, stale, templateQuery } from '../api/queries';
import { Console } from '../console/Console';
import { useFeed, useShown } from '../console/feed';
import { shortId } from '../lib/format';
import { Loading, Problem, sayFailure, Status, useTitle } from '../ui/bits';
import { Confirm } from '../ui/Dialog';
import { NotFound } from './NotFound';

const Executions = lazy(() => import('./session/Executions'));
const Timeline = lazy(() => import('./session/Timeline'));
const Files = lazy(() => import('./session/Files'));
const Info = lazy(() => import('./session/Info'));

const TABS = [
  ['', 'Console'],
  ['executions', 'Executions'],
  ['timeline', 'Timeline'],
  ['files', 'Run file'],
  ['info', 'Info'],
] as const;

export default function SessionPage({ id, tab = '' }: { id: string; tab: string | undefined }) {
  const query = useQuery(sessionQuery(id));
  const feed = useFeed(id);
  const shown = useShown(feed);
  const [, navigate] = useLocation();
  const [isClosing, setClosing] = useState(false);
  const session = query.data ?? shown.session;
  const template = useQuery({ ...templateQuery(session?.template_id ?? ''), enabled: session !== null && session !== undefined });
  useTitle(session ? `${session.workspace_id} ${shortId(id)}` : 'Session');

  const close = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/sessions/{session_id}/close', { params: { path: { session_id: id } } })),
    onError: sayFailure,
    onSettled: () => {
      setClosing(false);
      void stale('sessions');
    },
  });

  if (query.error instanceof Refusal && (query.error.status === 404 || query.error.status === 400)) {
    return <NotFound what="session" />;
  }
  if (!session) return query.error ? <Problem error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  if (!TABS.some(([name]) => name === tab)) return <NotFound what="page of a session" />;
  const isAlive = session.status === 'ready' || session.status === 'starting';

  return (
    <section className="session">
      <header className="session-head">
        <h1>
          {session.workspace_id} <code className="faint">{shortId(id)}</code>
        </h1>
        <Status status={session.status} />
        <span className="facts faint">
          {template.data ? <Link href={`/templates/${session.template_id}`}>{template.data.template.name}</Link> : null}
          <span title={session.worktree_path} className="path">
            <bdi>{session.worktree_path}</bdi>
          </span>
        </span>
        <div className="grow" />
        {!isAlive && (
          <Link href={`/sessions?new=1&like=${id}`} className="button">
            New session like this
          </Link>
        )}
        <button type="button" disabled={!isAlive || close.isPending} onClick={() => setClosing(true)}>
          Close session
        </button>
      </header>
      {session.last_error && (
        <div className={session.status === 'crashed' ? 'notice bad' : 'notice'} role="alert">
          <strong>{session.status === 'crashed' ? 'The session has crashed.' : 'The session was closed.'}</strong>{' '}
          {session.last_error}
        </div>
      )}
      <nav className="tabs" aria-label="Session">
        {TABS.map(([name, label]) => (
          <Link key={name} href={`/sessions/${id}${name && `/${name}`}`} aria-current={name === tab ? 'page' : undefined}>
            {label}
          </Link>
        ))}
      </nav>
      {/* The console stays as it is, with what is typed and where one was, while one looks elsewhere. */}
      <div className="pane" hidden={tab !== ''}>
        <Console session={session} feed={feed} />
      </div>
      {tab !== '' && (
        <div className="pane scrolls">
          <Suspense fallback={<Loading />}>
            {tab === 'executions' && <Executions sessionId={id} />}
            {tab === 'timeline' && <Timeline sessionId={id} />}
            {tab === 'files' && <Files session={session} onRun={() => navigate(`/sessions/${id}`)} />}
            {tab === 'info' && <Info session={session} />}
          </Suspense>
        </div>
      )}
      {isClosing && (
        <Confirm
          title="Close this session?"
          action="Yes, close it"
          busy={close.isPending}
          onConfirm={() => close.mutate()}
          onClose={() => setClosing(false)}
        >
          <p>Its values are gone then; what it has run stays. Whatever runs is cancelled.</p>
        </Confirm>
      )}
    </section>
  );
}
