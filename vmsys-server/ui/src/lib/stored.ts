/** How a person likes things to be shown, kept in their browser. */
import { useState } from 'react';

export function useStored<T>(name: string, usual: T): [T, (value: T) => void] {
  const key = `vm-system.${name}`;
  const [value, setValue] = useState<T>(() => {
    try {
      const kept = localStorage.getItem(key);
      return kept === null ? usual : (JSON.parse(kept) as T);
    } catch {
      return usual;
    }
  });
  return [
    value,
    (next) => {
      setValue(next);
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // A browser that keeps nothing shows it all the same.
      }
    },
  ];
}
