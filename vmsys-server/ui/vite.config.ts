/** How the UI is built: into `dist`, which the daemon takes in, each file with a compressed one beside it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Writes `name.gz` beside what is worth it, so that the daemon has nothing to compress. */
function gzip(): Plugin {
  return {
    name: 'gzip',
    apply: 'build',
    // Once all is written: until then, other plugins change it.
    async writeBundle({ dir = 'dist' }, bundle) {
      const names = Object.keys(bundle).filter((name) => /\.(js|css|html|svg)$/.test(name));
      for (const name of names) {
        const source = await readFile(join(dir, name));
        const packed = gzipSync(source, { level: 9 });
        if (packed.length < source.length * 0.9) await writeFile(join(dir, `${name}.gz`), packed);
      }
    },
  };
}

const daemon = process.env.VM_SYSTEM_URL ?? 'http://127.0.0.1:3210';

export default defineConfig({
  plugins: [react(), gzip()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // Few files: what is compressed together is smaller, and each page needs all of the first one anyway.
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /node_modules\/(react|react-dom|scheduler|wouter|@tanstack\/(react-)?query|regexparam|use-sync-external-store)|src\/(api|lib\/(store|format|keys))|src\/ui\/(bits|Icon|toast|Light)/,
            },
          ],
        },
      },
    },
  },
  server: {
    // As the daemon's own page: it refuses those of other origins.
    proxy: {
      '/api': {
        target: daemon,
        changeOrigin: true,
        configure: (proxy) => proxy.on('proxyReq', (request) => request.removeHeader('origin')),
      },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
