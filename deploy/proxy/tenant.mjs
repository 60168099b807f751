/**
 * For the proxy: which tenant a request is for. All requests of a tenant go to one API process, because claims that
 * arrive together at one process are committed together. It only chooses a process, so nothing is verified here:
 * any process can serve any tenant, and checks the token itself.
 *
 * The proxy's JavaScript has no destructuring, no `??` and no `catch` without a name.
 */
function tenant(request) {
  const headers = request.headersIn;
  const bearer = String(headers['authorization'] || '').replace(/^Bearer /i, '');
  // An API key belongs to one tenant, too.
  return tenantOf(bearer) || headers['x-tenant-id'] || bearer || request.remoteAddress;
}

/** Of a token of ours; '' for an API key, or anything else. */
function tenantOf(bearer) {
  const payload = bearer.split('.')[1] || '';
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof claims.tid === 'string' ? claims.tid : '';
    // oxlint-disable-next-line no-unused-vars
  } catch (_error) {
    return '';
  }
}

export default { tenant };
