import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';

/** The page reaches any node and server; scripts and styles are its own, and nobody frames it. */
const PAGE =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src http: https: ws: wss:; base-uri 'none'; form-action 'none'";
/** The thread that has the private key reaches nothing. A worker takes its own header's policy. */
const WORKER = "default-src 'none'; script-src 'self'";

/** Writes the policy into the page, and sends it, and the worker's, where Vite serves the build. */
const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  transformIndexHtml: (html) => html.replace('%POLICY%', PAGE),
  configurePreviewServer({ middlewares }) {
    middlewares.use(({ url }, response, next) => {
      const isWorker = /^\/assets\/worker-[^/]*\.js$/.test(url ?? '');
      const policy = isWorker ? WORKER : `${PAGE}; frame-ancestors 'none'`;
      response.setHeader('Content-Security-Policy', policy);
      next();
    });
  },
};

export default defineConfig({
  plugins: [preact(), contentSecurityPolicy],
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
