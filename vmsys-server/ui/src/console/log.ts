/**
 * What a session has said: its runs, in order, and the events of each by their number. It takes in what a stream tells, in
 * whatever pieces and however often, and makes rows of it.
 */
import type { Event } from '../api/schema';

export interface Run {
  readonly id: string;
  /** The events, the one numbered `seq` at `seq - 1`. */
  readonly events: Event[];
  ended: boolean;
  /** Another one after each change that is not an event more. */
  version: number;
}

/** Rows that were made of a run, and of how many of its events. */
interface Made {
  version: number;
  events: number;
  rows: Row[];
}

/** A line of the console: an event, and how often it came in a row. */
export interface Row {
  readonly key: string;
  readonly event: Event;
  readonly count: number;
  /** The first of its run. */
  readonly isFirst: boolean;
}

export type Level = 'debug' | 'info' | 'log' | 'warn' | 'error';

export const LEVELS: readonly Level[] = ['error', 'warn', 'info', 'log', 'debug'];

export interface Filter {
  /** Levels that are left out. */
  readonly hidden: ReadonlySet<Level>;
  readonly text: string;
  /** Only what came after this: the rest was cleared from view. */
  readonly after: { run: string; seq: number } | null;
}

export const NO_FILTER: Filter = { hidden: new Set(), text: '', after: null };

export class SessionLog {
  readonly #runs = new Map<string, Run>();
  #order: string[] = [];
  /** The run that was going on when the line was cut: what is told of it next takes the place of what was told. */
  #cut: string | null = null;
  /** Rows of runs, for the filter that they were made with. */
  readonly #made = new Map<string, Made>();
  #madeFor: Filter = NO_FILTER;

  /** The ids of all runs, oldest first. */
  get order(): readonly string[] {
    return this.#order;
  }

  run(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** The newest run. */
  get last(): Run | undefined {
    return this.#runs.get(this.#order.at(-1) ?? '');
  }

  /** The newest run, if it has not ended. */
  get running(): Run | undefined {
    return this.last?.ended === false ? this.last : undefined;
  }

  add(event: Event): void {
    let run = this.#runs.get(event.execution_id);
    if (run === undefined) {
      run = { id: event.execution_id, events: [], ended: false, version: 0 };
      this.#runs.set(run.id, run);
      this.#insert(run.id);
    }
    if (this.#cut === run.id) {
      // A daemon that was killed may have lost the last moments of an unfinished run, and has numbered anew since.
      run.events.length = 0;
      run.ended = false;
      run.version += 1;
    }
    this.#cut = null;
    // Told again, or in another order than theirs: what was made of them is made anew.
    if (event.seq !== run.events.length + 1) run.version += 1;
    run.events[event.seq - 1] = event;
    if (isLast(event)) {
      run.events.length = event.seq;
      run.ended = true;
    }
  }

  /** Forgets a run that the daemon does not know. */
  drop(id: string): void {
    if (this.#runs.delete(id)) this.#order = this.#order.filter((other) => other !== id);
    this.#made.delete(id);
  }

  /**
   * Returns where to go on after the line was cut. Only the end of a run is sure to be on disk: one that goes on is told
   * anew.
   */
  resume(): string | undefined {
    const last = this.last;
    if (last === undefined) return undefined;
    if (last.ended) return `${last.id}:${last.events.length}`;
    this.#cut = last.id;
    return `${last.id}:0`;
  }

  rows(filter: Filter = NO_FILTER): Row[] {
    if (filter !== this.#madeFor) this.#made.clear();
    this.#madeFor = filter;
    const rows: Row[] = [];
    for (const id of this.#order) {
      const run = this.#runs.get(id);
      if (run === undefined || (filter.after !== null && id < filter.after.run)) continue;
      let made = this.#made.get(id);
      if (made?.version !== run.version) {
        made = { version: run.version, events: 0, rows: [] };
        this.#made.set(id, made);
      }
      makeRows(run, filter, made);
      for (const row of made.rows) rows.push(row);
    }
    return rows;
  }

  #insert(id: string): void {
    // Ids sort by age; nearly always this is the newest.
    let at = this.#order.length;
    while (at > 0 && (this.#order[at - 1] ?? '') > id) at -= 1;
    this.#order.splice(at, 0, id);
  }
}

/** Makes rows of the events that have come since. */
function makeRows(run: Run, filter: Filter, made: Made): void {
  const needle = filter.text.toLowerCase();
  const skipped = filter.after?.run === run.id ? filter.after.seq : 0;
  const { rows } = made;
  for (const event of made.events === 0 ? run.events : run.events.slice(made.events)) {
    if (event === undefined || event.seq <= skipped || !passes(event, filter, needle)) continue;
    const last = rows.at(-1);
    if (last !== undefined && isRepeat(last.event, event)) {
      rows[rows.length - 1] = { ...last, count: last.count + 1 };
    } else {
      rows.push({ key: `${run.id}:${event.seq}`, event, count: 1, isFirst: rows.length === 0 });
    }
  }
  made.events = run.events.length;
}

/** Whether an event is the last of its run: every run ends with exactly one of these. */
export function isLast(event: Event): boolean {
  return event.type === 'value' || event.type === 'exception' || event.type === 'system';
}

/** The level that an event is filtered by; what a person typed, and what came of it, is always shown. */
export function levelOf(event: Event): Level | null {
  switch (event.type) {
    case 'console':
      return event.payload.level;
    case 'stdout':
      return 'log';
    case 'stderr':
      return 'error';
    default:
      return null;
  }
}

export function textOf(event: Event): string {
  switch (event.type) {
    case 'value':
      return event.payload.preview;
    case 'exception':
      return event.payload.stack ?? event.payload.message;
    case 'system':
      return event.payload.message;
    default:
      return event.payload.text;
  }
}

function passes(event: Event, filter: Filter, needle: string): boolean {
  const level = levelOf(event);
  if (level !== null && filter.hidden.has(level)) return false;
  return needle === '' || textOf(event).toLowerCase().includes(needle);
}

/** Whether an event says again what the one before it said; what can be opened is always a row of its own. */
function isRepeat(previous: Event, event: Event): boolean {
  if (previous.type !== 'console' || event.type !== 'console') return false;
  const [before, now] = [previous.payload, event.payload];
  return before.level === now.level && before.text === now.text && !('args' in before) && !('args' in now);
}
