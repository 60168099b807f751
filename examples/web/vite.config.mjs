/** Serves the page, the partner's server and Redeemkit from one origin, as a reverse proxy does: `npx vite examples/web` */
const { REDEEMKIT_URL = 'http://127.0.0.1:4000', PARTNER_URL = 'http://127.0.0.1:8080' } = process.env;

export default {
  server: { proxy: { '/graphql': { target: REDEEMKIT_URL, ws: true }, '/session': PARTNER_URL } },
};
