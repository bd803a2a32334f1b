/** The session's globals, and which of them the last run has changed. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as inspect from '../api/inspect';
import { Problem } from '../ui/bits';
import { Refusal } from '../api/client';

export default function Globals({ sessionId, isReady, lastRun, isRunning }: {
  sessionId: string;
  isReady: boolean;
  lastRun: string | undefined;
  isRunning: boolean;
}) {
  const [text, setText] = useState('');
  const { data, error } = useQuery({
    queryKey: ['globals', sessionId],
    queryFn: ({ signal }) => inspect.globals(sessionId, signal),
    enabled: isReady && !isRunning,
    // Something may have begun to run in between; it ends, and then it is asked again.
    retry: (failures, cause) => cause instanceof Refusal && cause.code === 'SESSION_BUSY' && failures < 3,
    retryDelay: 300,
  });
  const needle = text.toLowerCase();
  const shown = (data?.globals ?? []).filter((global) => global.name.toLowerCase().includes(needle));
  return (
    <aside className="globals" aria-label="Globals">
      <header>
        <h2>Globals</h2>
        {data && <span className="faint">{data.globals.length + (data.more ?? 0)}</span>}
      </header>
      {!isReady && <p className="faint pad">The session is over, and its values with it.</p>}
      {isReady && data && data.globals.length > 8 && (
        <input
          type="search"
          aria-label="Filter globals"
          placeholder="Filter"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {isReady && error && !data && <Problem error={error} />}
      {isReady && data?.globals.length === 0 && <p className="faint pad">Nothing has been declared yet.</p>}
      {isReady && (
        <ul className={isRunning ? 'old' : undefined}>
          {shown.map((global) => {
            const isNew = global.changed_by !== undefined && global.changed_by === lastRun;
            return (
              <li key={global.name} className={isNew ? 'changed' : undefined}>
                <span className="name" title={global.kind}>
                  {global.name}
                </span>
                {isNew && <span className="visually-hidden"> (changed by the last run)</span>}
                <span className={`preview v-${global.type}`} title={global.preview}>
                  {global.preview}
                </span>
              </li>
            );
          })}
          {data?.more ? <li className="faint">and {data.more} more</li> : null}
        </ul>
      )}
    </aside>
  );
}
