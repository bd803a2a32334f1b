/** What the daemon has counted, looked at again and again: from totals, how much there is of a thing in a second. */
import type { Stats } from '../api/schema';

export interface Sample {
  /** When, in seconds, as charts take it. */
  at: number;
  startedAt: string;
  executions: number;
  failures: number;
  requests: number;
  events: number;
  residentBytes: number;
  requestP50: number;
  requestP99: number;
  executionP50: number;
  executionP99: number;
  commitP50: number;
  commitP99: number;
}

/** As many as are kept: ten minutes at one every two seconds. */
const MOST = 300;

export function sampleOf(stats: Stats, now: number): Sample {
  const ended = stats.executions.ended.reduce((sum, { count }) => sum + count, 0);
  const fine = stats.executions.ended.filter(({ status }) => status === 'ok').reduce((sum, { count }) => sum + count, 0);
  const repl = stats.executions.latency.find(({ kind }) => kind === 'repl');
  return {
    at: now / 1000,
    startedAt: stats.started_at,
    executions: ended,
    failures: ended - fine,
    requests: stats.requests.latency.count,
    events: stats.store.events,
    residentBytes: stats.process.resident_bytes,
    requestP50: stats.requests.latency.p50_ms,
    requestP99: stats.requests.latency.p99_ms,
    executionP50: repl?.p50_ms ?? 0,
    executionP99: repl?.p99_ms ?? 0,
    commitP50: stats.store.commits.p50_ms,
    commitP99: stats.store.commits.p99_ms,
  };
}

export function add(samples: readonly Sample[], next: Sample): Sample[] {
  return [...samples, next].slice(-MOST);
}

/** How much a total grew in a second, at each sample; unknown at the first, and where the daemon was started anew. */
export function rates(samples: readonly Sample[], total: (sample: Sample) => number): (number | null)[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    if (before === undefined || before.startedAt !== sample.startedAt || sample.at <= before.at) return null;
    return (total(sample) - total(before)) / (sample.at - before.at);
  });
}
