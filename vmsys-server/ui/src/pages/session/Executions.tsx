/** What has run in a session, newest first. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { executionsQuery } from '../../api/queries';
import { clock, dateTime, milliseconds, shortId } from '../../lib/format';
import { Empty, Loading, Problem, Status } from '../../ui/bits';

const PAGE = 50;
const MOST = 1000;

export default function Executions({ sessionId }: { sessionId: string }) {
  const [limit, setLimit] = useState(PAGE);
  const { data, error, refetch } = useQuery(executionsQuery(sessionId, limit));
  if (error && !data) return <Problem error={error} retry={() => void refetch()} />;
  if (!data) return <Loading />;
  if (data.length === 0) return <Empty title="Nothing has run yet" />;
  return (
    <>
      <table>
        <caption className="visually-hidden">Executions, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Execution</th>
            <th scope="col">Status</th>
            <th scope="col">Kind</th>
            <th scope="col">Started</th>
            <th scope="col" className="number">
              Took
            </th>
            <th scope="col" className="number">
              Processor
            </th>
            <th scope="col" className="number">
              Events
            </th>
            <th scope="col">Came to</th>
          </tr>
        </thead>
        <tbody>
          {data.map((execution) => (
            <tr key={execution.id}>
              <th scope="row" className="input-cell">
                <Link href={`/sessions/${sessionId}/executions/${execution.id}`}>
                  <code>{(execution.input ?? execution.path ?? '').slice(0, 200) || shortId(execution.id)}</code>
                </Link>
              </th>
              <td>
                <Status status={execution.status} />
              </td>
              <td>{execution.kind.replace('_', ' ')}</td>
              <td>
                <time dateTime={execution.started_at} title={dateTime(execution.started_at)}>
                  {clock(execution.started_at)}
                </time>
              </td>
              <td className="number">{milliseconds(execution.metrics.wall_ms)}</td>
              <td className="number">{milliseconds(execution.metrics.cpu_ms)}</td>
              <td className="number">{execution.metrics.event_count.toLocaleString('en-GB')}</td>
              <td className="result-cell">
                <code>{(execution.error?.message ?? execution.result?.preview ?? '').split('\n')[0]?.slice(0, 120)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.length === limit && limit < MOST && (
        <p>
          <button type="button" onClick={() => setLimit(Math.min(limit * 4, MOST))}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}
