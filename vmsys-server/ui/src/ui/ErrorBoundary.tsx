/** A fault of a page costs that page, says what it was, and nothing else. */
import { Component, type ReactNode } from 'react';

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <section className="page" role="alert">
        <h1>This page has failed</h1>
        <p>What the daemon keeps is not touched by it. The fault, for a report:</p>
        <pre tabIndex={0}>{error.stack ?? error.message}</pre>
        <button type="button" onClick={() => location.reload()}>
          Load the page again
        </button>
      </section>
    );
  }
}
