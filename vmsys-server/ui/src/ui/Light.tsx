/** Whether the daemon is there: a light that says what is so, and a banner while it is not. */
import { reach, streamOpen } from '../api/connection';
import { duration } from '../lib/format';
import { useStore } from '../lib/store';
import { useNow } from './bits';

export function Light() {
  const { state } = useStore(reach);
  const stream = useStore(streamOpen);
  const [tone, text] =
    state === 'down'
      ? ['bad', 'Disconnected']
      : state === 'denied'
        ? ['warn', 'Token needed']
        : state === 'unknown'
          ? ['quiet', 'Connecting…']
          : stream === false
            ? ['busy', 'Connecting…']
            : ['good', stream ? 'Live' : 'Connected'];
  return (
    <span className={`light ${tone}`} role="status" title={stream ? 'Events come as they happen' : 'The daemon answers'}>
      {text}
    </span>
  );
}

export function Banner() {
  const state = useStore(reach);
  const now = useNow(1000);
  if (state.state !== 'down') return null;
  return (
    <div className="banner" role="alert">
      <strong>The daemon does not answer.</strong> What is shown may be out of date. Trying to reconnect for{' '}
      {duration(now - state.since)}…
    </div>
  );
}
