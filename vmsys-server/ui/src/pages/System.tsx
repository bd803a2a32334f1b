/** How the daemon is: what it has done since it was started, and what it does now. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Link } from 'wouter';
import { reach } from '../api/connection';
import { statsQuery } from '../api/queries';
import { bytes, dateTime, duration, milliseconds } from '../lib/format';
import { add, rates, type Sample, sampleOf } from '../lib/samples';
import { useStore } from '../lib/store';
import { Loading, Problem, Status, useTitle } from '../ui/bits';

/** Drawn once there is something to draw. */
const Chart = lazy(() => import('../ui/Chart'));

/** They go on being what they are while one looks at another page. */
let kept: Sample[] = [];

export default function System() {
  useTitle('System');
  const { data, error, refetch, dataUpdatedAt } = useQuery(statsQuery());
  const { state } = useStore(reach);
  const [samples, setSamples] = useState(kept);
  useEffect(() => {
    if (!data || kept.at(-1)?.at === dataUpdatedAt / 1000) return;
    kept = add(kept, sampleOf(data, dataUpdatedAt));
    setSamples(kept);
  }, [data, dataUpdatedAt]);

  if (!data) return error ? <Problem error={error} retry={() => void refetch()} /> : <Loading />;
  const times = samples.map((sample) => sample.at);
  const perSecond = (value: number) => `${value >= 10 ? Math.round(value) : value.toFixed(1)}/s`;
  const ended = data.executions.ended.filter(({ count }) => count > 0);
  const refused = Object.entries(data.requests.refused).filter(([, count]) => count > 0);
  return (
    <section className="page">
      <header className="page-head">
        <h1>System</h1>
        <span className={state === 'up' ? 'status good' : 'status bad'}>{state === 'up' ? 'healthy' : 'not answering'}</span>
      </header>
      <dl className="metrics">
        {(
          [
            ['Version', data.version],
            ['Up for', duration(data.uptime_ms)],
            ['Started', dateTime(data.started_at)],
            ['Running now', data.executions.running.toLocaleString('en-GB')],
            ['Store', bytes(data.store.file_bytes)],
            ['Memory', bytes(data.process.resident_bytes)],
            ['Processor', duration(data.process.cpu_seconds * 1000)],
            ['Threads', String(data.process.threads)],
            ['Open files', String(data.process.open_files)],
            ['Connections', String(data.requests.connections)],
            ['Streams', String(data.requests.streams)],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h2>Sessions</h2>
      <ul className="tiles">
        {(['ready', 'starting', 'crashed', 'closed'] as const).map((status) => (
          <li key={status}>
            <Link href={`/sessions?status=${status}`}>
              <strong>{data.sessions[status].toLocaleString('en-GB')}</strong> <Status status={status} />
            </Link>
          </li>
        ))}
      </ul>
      <h2>Rates and latencies</h2>
      <p className="faint">Looked at every two seconds while this page is open. Latencies are those since the start.</p>
      <Suspense fallback={<Loading />}>
      <div className="charts">
        <Chart
          title="Executions"
          times={times}
          format={perSecond}
          series={[
            { label: 'ended', colour: '--series-1', values: rates(samples, (sample) => sample.executions) },
            { label: 'failed', colour: '--series-3', values: rates(samples, (sample) => sample.failures) },
          ]}
        />
        <Chart
          title="Requests and events"
          times={times}
          format={perSecond}
          series={[
            { label: 'requests', colour: '--series-1', values: rates(samples, (sample) => sample.requests) },
            { label: 'events stored', colour: '--series-2', values: rates(samples, (sample) => sample.events) },
          ]}
        />
        <Chart
          title="Snippets take"
          times={times}
          format={milliseconds}
          series={[
            { label: 'median', colour: '--series-1', values: samples.map((sample) => sample.executionP50) },
            { label: '99 of 100', colour: '--series-3', values: samples.map((sample) => sample.executionP99) },
          ]}
        />
        <Chart
          title="Requests take"
          times={times}
          format={milliseconds}
          series={[
            { label: 'median', colour: '--series-1', values: samples.map((sample) => sample.requestP50) },
            { label: '99 of 100', colour: '--series-3', values: samples.map((sample) => sample.requestP99) },
          ]}
        />
        <Chart
          title="Commits take"
          times={times}
          format={milliseconds}
          series={[
            { label: 'median', colour: '--series-1', values: samples.map((sample) => sample.commitP50) },
            { label: '99 of 100', colour: '--series-3', values: samples.map((sample) => sample.commitP99) },
          ]}
        />
        <Chart
          title="Memory of the daemon"
          times={times}
          format={bytes}
          series={[{ label: 'resident', colour: '--series-2', values: samples.map((sample) => sample.residentBytes) }]}
        />
      </div>
      </Suspense>
      <div className="columns">
        <section>
          <h2>Executions that ended</h2>
          {ended.length === 0 ? (
            <p className="faint">None since the start.</p>
          ) : (
            <table>
              <caption className="visually-hidden">Executions by kind and status</caption>
              <thead>
                <tr>
                  <th scope="col">Kind</th>
                  <th scope="col">Status</th>
                  <th scope="col" className="number">
                    Count
                  </th>
                </tr>
              </thead>
              <tbody>
                {ended.map(({ kind, status, count }) => (
                  <tr key={`${kind} ${status}`}>
                    <th scope="row">{kind.replace('_', ' ')}</th>
                    <td>
                      <Status status={status} />
                    </td>
                    <td className="number">{count.toLocaleString('en-GB')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
        <section>
          <h2>Requests that were refused</h2>
          {refused.length === 0 ? (
            <p className="faint">None since the start.</p>
          ) : (
            <table>
              <caption className="visually-hidden">Refusals by code</caption>
              <thead>
                <tr>
                  <th scope="col">Code</th>
                  <th scope="col" className="number">
                    Count
                  </th>
                </tr>
              </thead>
              <tbody>
                {refused.map(([code, count]) => (
                  <tr key={code}>
                    <th scope="row">
                      <code>{code}</code>
                    </th>
                    <td className="number">{count.toLocaleString('en-GB')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
      </div>
    </section>
  );
}
