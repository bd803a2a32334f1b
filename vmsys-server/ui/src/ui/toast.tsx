/** Short messages at the edge of the page: what was done, and what was refused. */
import { Store, useStore } from '../lib/store';
import { Icon } from './Icon';

export interface Toast {
  kind: 'info' | 'error';
  text: string;
  code?: string;
  requestId?: string;
  detail?: string;
}

interface Shown extends Toast {
  id: number;
}

const shown = new Store<Shown[]>([]);
let next = 0;

/** Good news goes by itself; bad news stays until it is read, and no more than a few of them. */
const GOOD_NEWS_MS = 2500;
const MOST = 4;

export function toast(message: Toast): void {
  const id = next++;
  const others = shown.get().filter((other) => other.text !== message.text);
  shown.set([...others, { ...message, id }].slice(-MOST));
  if (message.kind === 'info') setTimeout(() => dismiss(id), GOOD_NEWS_MS);
}

function dismiss(id: number): void {
  shown.set(shown.get().filter((message) => message.id !== id));
}

export function Toasts() {
  const messages = useStore(shown);
  return (
    <div className="toasts" role="region" aria-label="Messages" aria-live="polite">
      {messages.map((message) => (
        <div key={message.id} className={`toast ${message.kind}`} role={message.kind === 'error' ? 'alert' : 'status'}>
          <div>
            {message.code && <code className="code">{message.code}</code>} {message.text}
            {message.detail && <pre tabIndex={0}>{message.detail}</pre>}
            {message.requestId && (
              <div className="faint">
                Request <code>{message.requestId}</code>
              </div>
            )}
          </div>
          <button type="button" className="quiet only-icon" aria-label="Dismiss" onClick={() => dismiss(message.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
