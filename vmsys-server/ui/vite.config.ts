/** How the UI is built: into `dist`, which the daemon takes in, each file with a compressed one beside it. */
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Writes `name.gz` beside what is worth it, so that the daemon has nothing to compress. */
function gzip(): Plugin {
  return {
    name: 'gzip',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        const source = file.type === 'chunk' ? file.code : file.source;
        const packed = gzipSync(source, { level: 9 });
        if (/\.(js|css|html|svg)$/.test(name) && packed.length < source.length * 0.9) {
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: packed });
        }
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
