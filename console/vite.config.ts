import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compression } from 'vite-plugin-compression2';

/** `npm run dev -w console` serves the sources beside a running program. */
const SERVER = 'http://127.0.0.1:4000';

export default defineConfig({
  base: '/console/',
  plugins: [
    react(),
    compression({
      algorithms: ['gzip', 'brotliCompress'],
      include: /assets\/.*\.(?:js|css|svg)$/,
      threshold: 512,
    }),
  ],
  // GraphiQL at the root has an older React, which packages beside it would find.
  resolve: { dedupe: ['react', 'react-dom'] },
  // The server puts the nonce of each answer in its place.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2023',
    // Browsers that know light-dark(), in which the styles name their colours.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Fonts and images stay files: the policy of the page lets no script fetch data URLs.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/graphql': { target: SERVER, ws: true }, '/console/session': SERVER, '/api': SERVER } },
});
