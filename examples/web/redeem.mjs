/**
 * A page that redeems codes, exactly once: reload it, or cut the network, in the middle of a redemption.
 * The token comes from the partner's server (examples/partner).
 */
import { createClient, UnsettledError } from '@redeemkit/client';
import { createSubscriptions } from '@redeemkit/client/subscriptions';

const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
const list = document.querySelector('ul');

let session = null;
async function token({ refused }) {
  if (session === null || session === refused) {
    const user = new URLSearchParams(location.search).get('user') ?? 'guest';
    const reply = await fetch('/session', { method: 'POST', headers: { 'x-demo-user': user } });
    session = (await reply.json()).token;
  }
  return session;
}

const connection = { url: location.origin, productCode: 'DEMO', env: 'web', token };
const client = createClient({ ...connection, pendingStore: localStorage });

function show(result) {
  if (result.status === 'COMMITTED') status.textContent = 'Redeemed.';
  else if (result.status === 'PROCESSING') status.textContent = `In progress: order ${result.orderNo}.`;
  else status.textContent = result.message;
}

async function redeem() {
  status.textContent = 'Redeeming …';
  try {
    show(await client.redeemCode(form.code.value));
    form.reset();
  } catch (error) {
    status.textContent =
      error instanceof UnsettledError ? 'Not settled yet; it goes on when you come back.' : error.message;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void redeem();
});

// What was under way before a reload is settled first, with its own key.
for (const { result, error } of await client.resumePending()) {
  if (result) show(result);
  else status.textContent = error.message;
}

createSubscriptions(connection).onRedemptionSettled({
  after: '0',
  onEvent: ({ status: outcome, orderNo }) => {
    const item = document.createElement('li');
    item.textContent = `${outcome} ${orderNo}`;
    list.append(item);
  },
});
