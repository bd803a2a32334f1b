/** A session as it goes on: its log, kept up by a stream, and what to tell the components that show it. */
import { useEffect, useMemo } from 'react';
import { api, ok, Refusal } from '../api/client';
import { streamOpen } from '../api/connection';
import { queryClient, stale } from '../api/queries';
import type { Session } from '../api/schema';
import { follow } from '../api/stream';
import { Store, useStore } from '../lib/store';
import { SessionLog } from './log';

/** How many runs a page begins with, and by how many more it goes back. */
const TAIL = 100;

/** From how many events on changes are told so often, and no more. */
const MANY = 1000;
const CALM_MS = 100;

export interface Shown {
  /** Another one after each change of the log. */
  version: number;
  session: Session | null;
  /** Whether the first answer of the stream has come. */
  isLoaded: boolean;
  /** Whether there may be runs before the first one. */
  hasEarlier: boolean;
  /** Why nothing comes any more, if it is not that the session is over. */
  refused: Refusal | null;
}

export class Feed {
  readonly log = new SessionLog();
  readonly shown = new Store<Shown>({ version: 0, session: null, isLoaded: false, hasEarlier: false, refused: null });
  readonly #id: string;
  #tail = TAIL;
  #pending: Partial<Shown> | null = null;
  #stop: AbortController | null = null;
  /** Whether the next line tells of a tail anew, which may reach further back than what there is. */
  #again = true;

  constructor(id: string) {
    this.#id = id;
  }

  start(): () => void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#again = true;
    streamOpen.set(false);
    void follow(
      this.#id,
      {
        from: () => {
          const cursor = this.#again ? undefined : this.log.resume();
          return cursor === undefined ? { tail: this.#tail } : { after: cursor };
        },
        open: (isOpen) => {
          streamOpen.set(isOpen);
          if (isOpen) {
            this.#again = false;
            // What is there comes at once. Where nothing is, nothing comes, and that is to be shown as well.
            setTimeout(() => this.#note({ isLoaded: true }), 150);
          }
        },
        event: (event) => {
          const was = this.log.last?.ended;
          this.log.add(event);
          this.#note({});
          if (this.log.last?.ended && was !== true) this.#ended();
        },
        session: (session) => {
          queryClient.setQueryData(['sessions', session.id], session);
          this.#note({ session });
          void stale('sessions', 'list');
        },
        over: (refused) => {
          streamOpen.set(null);
          this.#note({ refused, isLoaded: true });
          void this.#settle();
        },
      },
      stop.signal,
    );
    return () => {
      stop.abort();
      streamOpen.set(null);
    };
  }

  /** Goes further back. All is told again, and takes its place by its number. */
  earlier(): () => void {
    this.#stop?.abort();
    this.#tail = Math.min(this.#tail * 3, 1000);
    return this.start();
  }

  /** A run has ended: what is known of the session's state is old. */
  #ended(): void {
    void stale('executions');
    void stale('globals', this.#id);
    void stale('history', this.#id);
  }

  /** No events come any more. A run that seems to go on is asked for; one that was never stored is gone. */
  async #settle(): Promise<void> {
    const run = this.log.running;
    if (run === undefined) return;
    try {
      const path = { execution_id: run.id };
      const execution = await ok(api.GET('/api/v1/executions/{execution_id}', { params: { path } }));
      run.events.length = 0;
      run.version += 1;
      for (const event of execution.events ?? []) this.log.add(event);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) this.log.drop(run.id);
    }
    this.#note({});
  }

  /** How many events there are in the newest run. */
  get #size(): number {
    return this.log.last?.events.length ?? 0;
  }

  /** Tells of changes once for each picture that the browser draws, or soon where it draws none. */
  #note(change: Partial<Shown>): void {
    if (this.#pending === null) {
      this.#pending = {};
      let told = false;
      const tell = () => {
        if (told) return;
        told = true;
        const pending = this.#pending ?? {};
        this.#pending = null;
        const before = this.shown.get();
        const hasEarlier = this.log.order.length >= this.#tail && this.#tail < 1000;
        this.shown.set({ ...before, ...pending, hasEarlier, version: before.version + 1 });
      };
      // Much is told less often: to place it takes longer than to read it.
      if (this.#size < MANY) requestAnimationFrame(tell);
      setTimeout(tell, CALM_MS);
    }
    Object.assign(this.#pending, change);
  }
}

export function useFeed(id: string): Feed {
  const feed = useMemo(() => new Feed(id), [id]);
  useEffect(() => feed.start(), [feed]);
  return feed;
}

export function useShown(feed: Feed): Shown {
  return useStore(feed.shown);
}
