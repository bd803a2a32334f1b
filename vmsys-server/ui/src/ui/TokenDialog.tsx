/** Asks for the daemon's token. */
import { useState } from 'react';
import { reach } from '../api/connection';
import { queryClient } from '../api/queries';
import { keepToken } from '../api/token';
import { send } from '../api/client';
import { useStore } from '../lib/store';
import { Dialog } from './Dialog';
import { Field } from './bits';

export default function TokenDialog() {
  const state = useStore(reach);
  const [value, setValue] = useState('');
  const [busy, setBusy] = useState(false);
  const wrong = state.state === 'denied' && state.hadToken;
  return (
    <Dialog title="This daemon asks for a token" onClose={() => {}}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          keepToken(value);
          setBusy(true);
          // Whether it is the right one, an answer says.
          send('/api/v1/runtime/summary')
            .then((response) => (response.ok ? queryClient.invalidateQueries() : undefined))
            .catch(() => {})
            .finally(() => setBusy(false));
        }}
      >
        <Field
          label="Token"
          hint="Kept for this tab only, until it is closed."
          error={wrong ? 'The daemon does not take the token that was entered.' : undefined}
        >
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autoComplete="off"
              required
              data-focus
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          )}
        </Field>
        <div className="actions">
          <button type="submit" className="primary" disabled={busy}>
            Use token
          </button>
        </div>
      </form>
    </Dialog>
  );
}
