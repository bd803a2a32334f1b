import { Link } from 'wouter';
import { useTitle } from '../ui/bits';

export function NotFound({ what }: { what: string }) {
  useTitle('Not found');
  return (
    <section className="page">
      <h1>There is no such {what}</h1>
      <p>
        The address <code>{location.pathname}</code> names nothing that this daemon knows: it may have been deleted, or never
        have been.
      </p>
      <p>
        <Link href="/sessions">Sessions</Link> · <Link href="/templates">Templates</Link>
      </p>
    </section>
  );
}
