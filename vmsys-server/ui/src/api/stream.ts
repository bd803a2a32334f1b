/**
 * Follows a session: its events in order, each once, whatever happens to the line.
 *
 * `EventSource` is not used: it can show no token, and goes on from an event of its own choosing. After a cut we go on from
 * the last place that is certain to be on disk, and what is then told again is put in place of what was told before.
 */
import { createParser } from 'eventsource-parser';
import { Refusal, refusal, send } from './client';
import type { Event, Session } from './schema';

export interface Follower {
  /** Where to begin: a cursor, or with the last so many executions. */
  from(): { after: string } | { tail: number };
  /** The line is open, or it is not. */
  open(isOpen: boolean): void;
  event(event: Event): void;
  session(session: Session): void;
  /** Nothing comes any more, and why if it was not the session's end. */
  over(refused: Refusal | null): void;
}

/** The daemon says something every 15 s; a line that has been silent for longer than two of these is dead. */
const SILENCE_MS = 35_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3000;

/** Follows until the session is over, or it is told to stop. */
export async function follow(id: string, follower: Follower, stop: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!stop.aborted) {
    try {
      const ended = await once(id, follower, stop, () => (pause = FIRST_PAUSE_MS));
      follower.open(false);
      if (ended) return follower.over(null);
    } catch (error) {
      if (stop.aborted) return;
      follower.open(false);
      // What is refused will be refused again. A token that is missing is asked for elsewhere, and what a daemon that
      // shuts down or is at its limit refuses, it may take later.
      if (error instanceof Refusal && (error.status === 404 || error.status === 400)) return follower.over(error);
    }
    await sleep(pause * (0.75 + Math.random() / 2), stop);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Follows one line to its end, and tells whether that was the session's. */
async function once(id: string, follower: Follower, stop: AbortSignal, alive: () => void): Promise<boolean> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  let isOver = false;
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === 'session') {
        const session = JSON.parse(data) as Session;
        isOver = session.status === 'closed' || session.status === 'crashed';
        follower.session(session);
      } else {
        follower.event(JSON.parse(data) as Event);
      }
    },
  });
  try {
    heard();
    const query = new URLSearchParams(Object.entries(follower.from()).map(([name, value]) => [name, String(value)]));
    const response = await send(`/api/v1/sessions/${id}/events/stream?${query}`, {
      headers: { Accept: 'text/event-stream' },
      cache: 'no-store',
      signal: AbortSignal.any([stop, silence.signal]),
    });
    if (!response.ok || response.body === null) throw refusal(response, await response.json().catch(() => null));
    follower.open(true);
    alive();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      heard();
      parser.feed(value);
    }
  } finally {
    clearTimeout(timer);
  }
  if (isOver) return true;
  // It may have been over before we came: then nothing is said of its status.
  const response = await send(`/api/v1/sessions/${id}`, { signal: stop });
  if (!response.ok) throw refusal(response, await response.json().catch(() => null));
  const session = (await response.json()) as Session;
  follower.session(session);
  return session.status === 'closed' || session.status === 'crashed';
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener('abort', done);
  });
}
