/** The edge of what one process of Node can do: a bare route that reads and answers JSON of the same size. */
import Fastify from 'fastify';
import { serveParent } from './child-server.js';
import { AN_ID, emptyPayload } from './empty-payload.js';

const app = Fastify({ logger: false });
app.get('/healthz', async () => 'ok');
app.post('/graphql', async () => ({ data: { emptyMutation: emptyPayload(AN_ID, 'BENCH') } }));
serveParent(await app.listen({ host: '127.0.0.1', port: 0 }), async () => app.close());
