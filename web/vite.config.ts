import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [preact()],
  // util-crypto has everything in JavaScript as well, and WebAssembly would be half of the page.
  resolve: {
    alias: [
      { find: /^@polkadot\/wasm-crypto-init$/, replacement: '@polkadot/wasm-crypto-init/none' },
    ],
  },
  // Served from any folder.
  base: './',
  // @polkadot/api is one large chunk, and comes after the page's frame.
  build: { target: 'es2022', modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1_000 },
  worker: { format: 'es' },
});
