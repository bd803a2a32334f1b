/** Where executions stand on a line of time. */

export interface Span {
  id: string;
  started_at: string;
  ended_at?: string;
  metrics: { wall_ms: number };
}

export interface Placed<T> {
  span: T;
  /** Parts of the whole, from 0 to 1. */
  from: number;
  width: number;
}

export interface Layout<T> {
  start: number;
  end: number;
  placed: Placed<T>[];
  /** Idle times that were left out, as parts of the whole. */
  gaps: { at: number; ms: number }[];
}

/** Longer idle times are cut to this part of all that was busy, or nothing could be seen between them. */
const LONGEST_GAP = 0.08;

/** Lays out executions, oldest first, with the long times cut short in which nothing ran. */
export function layOut<T extends Span>(spans: readonly T[], now: number): Layout<T> {
  const sorted = [...spans].sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
  const times = sorted.map((span) => {
    const from = Date.parse(span.started_at);
    const to = span.ended_at === undefined ? now : from + Math.max(span.metrics.wall_ms, 1);
    return { span, from, to: Math.max(to, from + 1) };
  });
  const [first] = times;
  if (first === undefined) return { start: now, end: now, placed: [], gaps: [] };
  const busy = times.reduce((sum, time) => sum + (time.to - time.from), 0);
  const longest = Math.max(busy * LONGEST_GAP, 1);
  let cursor = 0;
  let reached = first.from;
  const gaps: { at: number; ms: number }[] = [];
  const places = times.map(({ span, from, to }) => {
    const idle = from - reached;
    if (idle > longest) {
      gaps.push({ at: cursor + longest / 2, ms: idle });
      cursor += longest;
    } else {
      cursor += Math.max(idle, 0);
    }
    const overlap = Math.max(-idle, 0);
    const at = cursor - overlap;
    const width = to - from;
    cursor = Math.max(cursor, at + width);
    reached = Math.max(reached, to);
    return { span, at, width };
  });
  const whole = Math.max(cursor, 1);
  return {
    start: first.from,
    end: reached,
    placed: places.map(({ span, at, width }) => ({ span, from: at / whole, width: width / whole })),
    gaps: gaps.map(({ at, ms }) => ({ at: at / whole, ms })),
  };
}
