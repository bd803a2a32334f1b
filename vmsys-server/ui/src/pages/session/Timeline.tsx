/** What ran when, for how long, and how it ended, at a glance. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { executionsQuery } from '../../api/queries';
import { clock, count, duration, milliseconds } from '../../lib/format';
import { layOut } from '../../lib/timeline';
import { Empty, Loading, Problem, Status, useNow } from '../../ui/bits';

const SHOWN = 100;
const KINDS = {
  repl: 'Snippet',
  run_file: 'File',
  startup: 'Startup',
  call: 'Call',
  set_global: 'Global',
} as const;

export default function Timeline({ sessionId }: { sessionId: string }) {
  const { data, error, refetch } = useQuery(executionsQuery(sessionId, SHOWN));
  const now = useNow(1000);
  if (error && !data) return <Problem error={error} retry={() => void refetch()} />;
  if (!data) return <Loading />;
  if (data.length === 0) return <Empty title="Nothing has run yet" />;
  const { placed, gaps, start, end } = layOut(data, now);
  const failed = data.filter((execution) => !['ok', 'running'].includes(execution.status)).length;
  const busy = data.reduce((sum, execution) => sum + execution.metrics.wall_ms, 0);
  return (
    <section aria-label="Timeline">
      <p>
        {data.length === SHOWN ? `The last ${SHOWN} executions` : count(data.length, 'execution')}, {failed} of them failed or
        stopped; {milliseconds(busy)} in all within {duration(end - start)}. Times in which nothing ran are cut short.
      </p>
      <div className="timeline">
        <ol>
          {placed.map(({ span, from, width }) => (
            <li key={span.id}>
              <Link href={`/sessions/${sessionId}/executions/${span.id}`} className="lane">
                <span className="lane-name">
                  <Status status={span.status} />
                  <code>{(span.input ?? span.path ?? '').split('\n')[0]?.slice(0, 60)}</code>
                </span>
                <span className="lane-track" title={`${KINDS[span.kind]}, ${clock(span.started_at)}`}>
                  {gaps.map((gap) => (
                    <span
                      key={gap.at}
                      className="gap-mark"
                      style={{ insetInlineStart: `${gap.at * 100}%` }}
                      title={`${duration(gap.ms)} in which nothing ran`}
                    />
                  ))}
                  <span
                    className={`bar ${span.status} ${span.kind}`}
                    style={{ insetInlineStart: `${from * 100}%`, width: `max(3px, ${width * 100}%)` }}
                  />
                </span>
                <span className="lane-took">
                  {span.status === 'running' ? 'running' : milliseconds(span.metrics.wall_ms)}
                  <span className="visually-hidden">
                    , {KINDS[span.kind]}, {clock(span.started_at)}
                  </span>
                </span>
              </Link>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
