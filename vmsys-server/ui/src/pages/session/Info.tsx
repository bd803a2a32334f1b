/** What a session is: its facts, and how to reach it from elsewhere. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { templateQuery } from '../../api/queries';
import type { Session } from '../../api/schema';
import { cli, curl } from '../../lib/curl';
import { dateTime } from '../../lib/format';
import { CopyButton, Status } from '../../ui/bits';
import { LIMITS } from '../settings';

export default function Info({ session }: { session: Session }) {
  const { data } = useQuery(templateQuery(session.template_id));
  const meta = session.runtime_meta as { isolation?: string; modules?: string[]; libraries?: string[] };
  const request = { session_id: session.id, input: '1 + 1' };
  const commands = [
    ['Run a snippet with curl', curl('POST', '/api/v1/executions/repl', request)],
    ['Run a snippet with the command line', cli(['exec', 'repl', session.id, '1 + 1'])],
    ['Follow it with the command line', cli(['session', 'watch', session.id])],
    ['Read it with curl', curl('GET', `/api/v1/sessions/${session.id}`)],
  ] as const;
  return (
    <div className="columns">
      <section>
        <h2>Session</h2>
        <dl className="facts-list">
          <dt>Id</dt>
          <dd>
            <code>{session.id}</code>
          </dd>
          <dt>Status</dt>
          <dd>
            <Status status={session.status} />
          </dd>
          {session.last_error && (
            <>
              <dt>Last error</dt>
              <dd className="wrong">{session.last_error}</dd>
            </>
          )}
          <dt>Template</dt>
          <dd>
            {data ? (
              <Link href={`/templates/${session.template_id}`}>{data.template.name}</Link>
            ) : (
              <code>{session.template_id}</code>
            )}
          </dd>
          <dt>Worktree</dt>
          <dd>
            <code>{session.worktree_path}</code>
          </dd>
          <dt>Base commit</dt>
          <dd>
            <code>{session.base_commit_oid}</code>
          </dd>
          <dt>Created</dt>
          <dd>{dateTime(session.created_at)}</dd>
          {session.closed_at && (
            <>
              <dt>Closed</dt>
              <dd>{dateTime(session.closed_at)}</dd>
            </>
          )}
          <dt>Runs in</dt>
          <dd>{meta.isolation === 'process' ? 'a process of its own' : 'a thread of the daemon'}</dd>
          <dt>Modules</dt>
          <dd>{meta.modules?.join(', ') || 'none'}</dd>
          <dt>Libraries</dt>
          <dd>{meta.libraries?.join(', ') || 'none'}</dd>
        </dl>
      </section>
      <section>
        <h2>Limits of its template</h2>
        <p className="faint">As the template is now; the session keeps those that it was created with.</p>
        {data ? (
          <dl className="facts-list">
            {LIMITS.map(({ key, label, unit }) => (
              <div key={key} className="pair">
                <dt>{label}</dt>
                <dd>
                  {data.settings.limits[key].toLocaleString('en-GB')} {unit}
                </dd>
              </div>
            ))}
          </dl>
        ) : (
          <p>The template is gone.</p>
        )}
      </section>
      <section className="wide">
        <h2>From elsewhere</h2>
        {commands.map(([what, text]) => (
          <div key={what} className="command">
            <h3>{what}</h3>
            <pre tabIndex={0}>{text}</pre>
            <CopyButton text={() => text} what="Command" label="Copy" />
          </div>
        ))}
      </section>
    </div>
  );
}
