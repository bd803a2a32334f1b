/**
 * Whether the daemon is there, from what happened last and not from hope: every answer says that it is, every failure to
 * get one that it is not, and where nothing else is asked, its health is.
 */
import { Store } from '../lib/store';

export type Reach =
  /** Nothing has been asked yet. */
  | { state: 'unknown' }
  | { state: 'up' }
  /** Since when nothing answers. */
  | { state: 'down'; since: number }
  /** It answers, and wants a token, or another one. */
  | { state: 'denied'; hadToken: boolean };

export const reach = new Store<Reach>({ state: 'unknown' });

/** Whether the stream of the page that is shown is open; `null` for pages without one. */
export const streamOpen = new Store<boolean | null>(null);

/** How often the daemon is asked for a sign of life: while it answers, and while it does not. */
const CALM_MS = 5000;
const EAGER_MS = 1000;
/** How long a sign of life may take. */
const PATIENCE_MS = 4000;

export function answered(status: number, hadToken: boolean): void {
  if (status === 401) {
    reach.set({ state: 'denied', hadToken });
  } else if (reach.get().state !== 'up') {
    reach.set({ state: 'up' });
  }
}

export function unanswered(): void {
  if (reach.get().state !== 'down') reach.set({ state: 'down', since: Date.now() });
}

/** Asks for signs of life until it is told to stop. */
export function watchHealth(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    clearTimeout(timer);
    try {
      const response = await fetch('/api/v1/health', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
      // Health is open to everybody: it does not say that our token is right.
      if (response.ok && reach.get().state !== 'denied') answered(response.status, false);
      // What stands in front of a daemon that is gone answers in its place.
      if (response.status === 502 || response.status === 504) unanswered();
    } catch {
      unanswered();
    }
    if (!stopped) timer = setTimeout(look, reach.get().state === 'down' ? EAGER_MS : CALM_MS);
  }

  const now = () => void look();
  addEventListener('online', now);
  addEventListener('offline', now);
  document.addEventListener('visibilitychange', now);
  void look();
  return () => {
    stopped = true;
    clearTimeout(timer);
    removeEventListener('online', now);
    removeEventListener('offline', now);
    document.removeEventListener('visibilitychange', now);
  };
}
