/**
 * Sends inputs to a session, one at a time and in order. What is entered while something runs waits, as in a terminal; what
 * the daemon did not take is given back.
 */
import { api, ok, Refusal } from '../api/client';
import { Store } from '../lib/store';

export interface Waiting {
  readonly text: string;
  /** The daemon runs what comes twice under a key once. */
  readonly key: string;
}

export interface RunnerState {
  readonly waiting: readonly Waiting[];
  /** Whether one has been sent and not been answered yet. */
  readonly isSending: boolean;
  /** What was taken last. */
  readonly taken: string | null;
}

/** What is known of the session's runs. */
export interface LogView {
  isBusy(): boolean;
  knows(executionId: string): boolean;
}

/** How long to wait where another one runs that we have not been told of yet. */
const BUSY_MS = 200;

export class Runner {
  readonly state = new Store<RunnerState>({ waiting: [], isSending: false, taken: null });
  readonly #sessionId: string;
  readonly #giveBack: (text: string, error: unknown) => void;
  readonly #log: LogView;
  /** What nobody answered: entered once more, it goes under the same key, so that it runs once. */
  #unanswered: Waiting | null = null;

  constructor(sessionId: string, log: LogView, giveBack: (text: string, error: unknown) => void) {
    this.#sessionId = sessionId;
    this.#log = log;
    this.#giveBack = giveBack;
  }

  enter(text: string): void {
    const again = this.#unanswered?.text === text ? this.#unanswered : null;
    this.#unanswered = null;
    this.#set({ waiting: [...this.state.get().waiting, again ?? { text, key: newKey() }] });
    this.next();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#set({ waiting: [] });
  }

  /** Sends the next input, if there is one and nothing is in its way. */
  next(): void {
    const { waiting, isSending, taken } = this.state.get();
    const [first] = waiting;
    if (first === undefined || isSending || taken !== null || this.#log.isBusy()) return;
    void this.#send(first);
  }

  /** The log has changed: the run that was taken may be in it now, or have ended. */
  look(): void {
    const { taken } = this.state.get();
    if (taken !== null && this.#log.knows(taken)) this.#set({ taken: null });
    this.next();
  }

  async #send(input: Waiting): Promise<void> {
    this.#set({ isSending: true });
    let later = 0;
    try {
      const body = { session_id: this.#sessionId, input: input.text, detach: true };
      const params = { header: { 'Idempotency-Key': input.key } };
      const execution = await ok(api.POST('/api/v1/executions/repl', { params, body }));
      // The stream may have been faster than the answer.
      this.#set({ waiting: this.#without(input), taken: this.#log.knows(execution.id) ? null : execution.id });
    } catch (error) {
      if (error instanceof Refusal && error.code === 'SESSION_BUSY') {
        later = BUSY_MS;
      } else {
        if (error instanceof Refusal && error.status === 0) this.#unanswered = input;
        // What was entered behind it may count on it.
        const texts = this.state.get().waiting.map((other) => other.text);
        this.#set({ waiting: [] });
        this.#giveBack(texts.length > 0 ? texts.join('\n') : input.text, error);
      }
    }
    this.#set({ isSending: false });
    if (later > 0) setTimeout(() => this.next(), later);
    else this.next();
  }

  #without(input: Waiting): readonly Waiting[] {
    return this.state.get().waiting.filter((other) => other !== input);
  }

  #set(change: Partial<RunnerState>): void {
    this.state.set({ ...this.state.get(), ...change });
  }
}

/** Random, also where the page is not a secure one, and the browser has no `randomUUID`. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
