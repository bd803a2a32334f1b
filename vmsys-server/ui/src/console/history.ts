/** Going through earlier inputs as in a shell: what was being typed waits at the end. */
export class HistoryWalk {
  #entries: readonly string[] = [];
  /** How far back; 0 is what is being typed. */
  #back = 0;
  #draft = '';
  #isLoaded = false;

  /** Whether it is known what was run before. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Takes the inputs, newest first. Inputs that repeat the one before are one. */
  load(entries: readonly string[]): void {
    const kept = entries.filter((entry, index) => entry !== entries[index - 1] && entry.trim() !== '');
    // One that came in meanwhile moves all others back by one.
    if (this.#back > 0) {
      const shown = this.#entries[this.#back - 1];
      const at = shown === undefined ? -1 : kept.indexOf(shown);
      this.#back = at < 0 ? 0 : at + 1;
    }
    this.#entries = kept;
    this.#isLoaded = true;
  }

  /** An input was run: the next walk begins with it. */
  push(entry: string): void {
    this.#back = 0;
    this.#draft = '';
    if (entry.trim() !== '' && this.#entries[0] !== entry) this.#entries = [entry, ...this.#entries];
  }

  older(current: string): string | null {
    const next = this.#entries[this.#back];
    if (next === undefined) return null;
    if (this.#back === 0) this.#draft = current;
    this.#back += 1;
    return next;
  }

  newer(): string | null {
    if (this.#back === 0) return null;
    this.#back -= 1;
    return this.#back === 0 ? this.#draft : (this.#entries[this.#back - 1] ?? null);
  }

  /** Inputs with a text in them, newest first, each once. */
  find(text: string, most: number): string[] {
    const needle = text.toLowerCase();
    const found = new Set<string>();
    for (const entry of this.#entries) {
      if (entry.toLowerCase().includes(needle)) found.add(entry);
      if (found.size >= most) break;
    }
    return [...found];
  }
}
