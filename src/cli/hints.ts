/** What to do next at the command line, by the code of a refusal. */
const NEXT: Readonly<Record<string, string>> = {
  TENANT_NOT_FOUND: '`tenant list` shows all tenants; `tenant create` makes one.',
  TENANT_NOT_ACTIVE: '`tenant update --status ACTIVE` enables it again.',
  TENANT_QUOTA_EXCEEDED: '`tenant update --quota` raises it.',
  TENANT_EXISTS: 'Choose another id, or change it with `tenant update`.',
  PRODUCT_LINE_EXISTS: 'Choose another code, or change it with `product-line update`.',
  PRODUCT_LINE_NOT_FOUND: '`product-line list` shows all product lines.',
  PRODUCT_UNKNOWN: '`product-line list` shows all product lines, and which are ACTIVE.',
  PLAN_NOT_FOUND: '`plan list` shows all plans.',
  PLAN_SOLD_OUT: '`plan update --inventory` raises what is left.',
  PARTNER_NOT_FOUND: '`partner list` shows all partners.',
  PARTNER_EXISTS: 'Choose another name, or change it with `partner update`.',
  API_KEY_NOT_FOUND: '`partner key list` shows the keys of a partner.',
  API_KEY_LIMIT_REACHED: '`partner key revoke` ends one.',
  NODE_NOT_FOUND: '`node list` shows all nodes.',
  REWARD_SPENT: '`redemption reverse --debt` states what was spent as a debt.',
  REWARD_TARGET_NOT_FOUND: '`plan list` shows the ids of plans; `plan create` makes one.',
  CAMPAIGN_NOT_FOUND: '`campaign list` shows all campaigns.',
  CAMPAIGN_NOT_ACTIVE: '`campaign list` shows its state and its window.',
  CAMPAIGN_NOT_DRAFT: '`campaign list` shows its state.',
  CAMPAIGN_NOT_STARTED: '`campaign delete` deletes a draft.',
  RULE_NOT_ALLOWED: 'docs/examples shows a rule with every field.',
  CODE_SPACE_TOO_SMALL: 'Longer codes, or `batch void` of what is not needed.',
  POOL_EXHAUSTED: '`codes pool --size` raises it.',
  USER_NOT_FOUND: '`user list` shows all users.',
  USER_DISABLED: '`user update --status ACTIVE` enables them again.',
  STAFF_NOT_FOUND: '`staff list` shows all accounts.',
  BATCH_NOT_FOUND: '`batch list` shows all batches.',
  VERSION_CONFLICT: '`list` shows the version.',
  DEAD_LETTER_NOT_FOUND: '`pending list` shows all dead letters.',
  ORDER_NO_OR_ALL_REQUIRED: 'Give --order <number> or --all.',
};

/** What happened, and what to do next. */
export function withNextStep(code: string, message: string): string {
  const next = NEXT[code];
  return next === undefined ? message : `${message} ${next}`;
}

/** A refusal or a warning as a person reads it. */
export const hinted = (code: string, message: string): string => `${code}: ${withNextStep(code, message)}`;
